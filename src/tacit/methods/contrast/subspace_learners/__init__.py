"""Dynamic subspace learners: the method, what its learners own, and the batches that they see."""

from tacit.methods.contrast.subspace_learners.method import SubspaceLearners as SubspaceLearners
