"""Converters between notes and tensors, each an object that goes both ways."""
