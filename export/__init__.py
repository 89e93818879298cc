"""Models that leave the laboratory: SavedModel, ONNX, LiteRT, StableHLO, a web page, a service.

What is exported runs where latentgen is not installed.
"""
