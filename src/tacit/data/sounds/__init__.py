"""Sounds: files of waves, their lists, and sounds that code makes."""
