"""One static page that draws and plays on the visitor's machine."""
