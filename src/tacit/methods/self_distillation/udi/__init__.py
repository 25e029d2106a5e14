"""UDI: a method, its places in crops, and what is said of them."""

from tacit.methods.self_distillation.udi.method import UDI as UDI
