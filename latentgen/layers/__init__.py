"""Recurrent cells, encoders, decoders and output heads: what sequence models are made of.

Written in keras.ops: the same layers run on TensorFlow and on JAX.
"""
