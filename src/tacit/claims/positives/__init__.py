"""Claims of methods whose positives are chosen by something else than views."""
