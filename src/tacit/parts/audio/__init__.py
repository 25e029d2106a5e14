"""Machinery of sounds, one file each."""
