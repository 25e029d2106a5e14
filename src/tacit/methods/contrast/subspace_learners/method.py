"""Dynamic subspace learners: an embedding's dimensions are divided among learners, of which there come more and more."""

from typing import Any

import torch
from torch import Tensor

from tacit.errors import TacitError, positive, shares
from tacit.method import Batch, Facts, Labelled, Maps, Method, Plan, Recipe
from tacit.methods.contrast.subspace_learners.learners import Attention, Subspaces
from tacit.methods.contrast.subspace_learners.members import Members
from tacit.methods.contrast.subspace_learners.paper import PAPER
from tacit.numerics.exact import unit
from tacit.numerics.processes import gather, mine
from tacit.objectives.contrast.margin_by_class import margin_by_class
from tacit.views.kinds import Single


class SubspaceLearners(Method):
    """Samples fall into as many clusters as there are learners, anew every `recluster` epochs. A batch is of one cluster, with
    `each` samples of a class; their margin loss moves one learner's dimensions. Attention weighs the places of the map.

    The main stream carries labels. The share `held_out` is not trained on: when what k-means tells of its classes has not risen
    for `patience` epochs, the last learner keeps the dimensions that matter most and a new one begins with the rest; the next,
    after a new rise. After the share `joint` of the training all samples move all dimensions. There are `learners` at first
    and `most_learners` at most: with both alike their number is fixed.

    checked: adigasu/Dynamic_subspace_learners@84fce0a
    Compared: loss and gradient, which dimensions stay, numbers of clusters, by its own classes and functions.
    Differs: it grows by the test part, here by what is held out; attention weighs the last map of any encoder, there the third
    stage's of ImageNet's ResNet-50, whose norms are held; the first epoch, in which labels become known, is joint; dimensions
    stay in place, there copies may overwrite some; clusters also keep their numbers where three change round; where too few
    negatives are far, the nearest of other classes stand in, there the sample itself may; AdamW; no mirroring up and down.
    """

    paper = PAPER
    streams = {"main": Labelled(Single(of={"image": {"jitter": 0.0, "grey": 0.0, "blur": 0.0}}), batch=32)}
    whole_batch = True
    recipe = Recipe(optimizer="adamw", lr=1e-5, batch=32, weight_decay=1e-4, schedule="constant", epochs=300)
    recipes = {"small": recipe.but(lr=1e-3, warmup=1, epochs=40, options={"patience": 3})}

    def __init__(
        self,
        encoder: Maps,
        *,
        dim: int = 128,
        learners: int = 1,
        most_learners: int = 128,
        each: int = 8,
        patience: int = 10,
        recluster: int = 2,
        joint: float = 5 / 6,
        held_out: float = 0.1,
        dropped: float = 0.01,
    ):
        super().__init__(encoder)  # type: ignore[arg-type]  # what offers maps is a module
        positive(dim=dim, learners=learners, each=each, patience=patience, recluster=recluster)
        shares(joint=joint, held_out=held_out, dropped=dropped)
        if not learners <= min(most_learners, dim):
            raise TacitError(f"learners is {learners}, of {dim} dimensions and at most {most_learners}; give no more of them.")
        self.attention, self.subspaces = Attention(encoder.dim), Subspaces(encoder.dim, dim, learners)
        self.most, self.each, self.recluster, self.joint = most_learners, each, recluster, joint
        self.patience, self.held_out, self.dropped = patience, held_out, dropped

    def prepare(self, facts: Facts):
        self.members = Members(facts.n, self.held_out, self.patience)

    def before_epoch(self, embed: Any):
        members, joint = self.members, self.progress >= self.joint
        if int(members.epochs) == 0:
            return Plan(batches=members.all_once(self.batch_size))
        features = embed(how=self.features)
        z = self.subspaces(features.to(self.subspaces.weight)).detach().cpu()
        if not joint and members.stuck(z) and self.subspaces.grow(self.most):
            members.patience.rest()
        members.assign(features, self.subspaces.learners, self.recluster, joint)
        self.subspaces.importance.zero_()
        return Plan(batches=members.in_turns(self.batch_size, self.each))

    def features(self, batch: Batch) -> Tensor:
        return self.attention(self.encoder.maps(batch.views[0]))

    def step(self, batch: Batch):
        features = self.features(batch)
        left = batch.uniform("left", features.shape[1]) >= self.dropped
        z = gather(self.subspaces(features * left / (1 - self.dropped)))
        labels, index = gather(batch.labels), gather(batch.index)  # type: ignore[arg-type]  # the stream carries them
        here = ~self.members.held[index]
        loss = margin_by_class(unit(z * self.members.moved(index, self.subspaces.owner))[here], labels[here])
        (gradient,) = torch.autograd.grad(loss, z, retain_graph=True)
        own = mine(len(batch), z.device)
        batch.keep(label=labels[own], mattered=(z * gradient)[own])
        return loss

    def after_step(self, batch: Batch):
        self.members.label[batch.index] = batch.kept["label"]
        self.subspaces.importance += batch.kept["mattered"].sum(0)

    def represent(self, batch: Batch):
        return self.subspaces(self.features(batch))
