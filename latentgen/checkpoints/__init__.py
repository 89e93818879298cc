"""Trained weights on disk: plain arrays with names and shapes, and preset folders."""
