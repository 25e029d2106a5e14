"""Losses of sounds: pure functions, one file each."""
