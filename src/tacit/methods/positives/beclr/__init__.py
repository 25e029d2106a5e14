"""BECLR: a method and the memories in which it finds neighbours."""

from tacit.methods.positives.beclr.method import BECLR as BECLR
