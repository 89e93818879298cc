"""Files and folders of music read as sequences of notes, windows and examples of a converter."""
