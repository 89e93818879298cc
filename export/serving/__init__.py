"""The service: exported models behind TensorFlow Serving's REST form, on Ray Serve."""
