"""Music seen and heard: piano rolls, sound, and pages with both."""
