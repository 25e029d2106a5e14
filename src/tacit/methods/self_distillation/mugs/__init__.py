"""Mugs: a method and what is said of a crop at three grains."""

from tacit.methods.self_distillation.mugs.method import Mugs as Mugs
