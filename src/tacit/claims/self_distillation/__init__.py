"""Claims of methods/self_distillation."""
