"""MixedAE: a method, and attention to few tokens."""

from tacit.methods.masked.mixedae.method import MixedAE as MixedAE
