"""SCAN: a story of three trainings."""

from tacit.methods.clustering.scan.method import SCAN as SCAN
