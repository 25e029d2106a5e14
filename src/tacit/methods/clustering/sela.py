"""SeLa: labels that fit what the network says and are used equally often, then a network that fits the labels."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from tacit.errors import TacitError, positive
from tacit.method import Batch, Encoder, Facts, Method, Paper, Recipe
from tacit.numerics.sinkhorn import equal_labels
from tacit.views.kinds import Single


class SeLa(Method):
    """Several linear heads, each with labels of its own, which are found anew in turns, head after head, over all samples.

    Labels are the largest entries of the transport plan exp(`sharpness` · log p) scaled to equal use of each of `labels`
    labels; they begin as a balanced draw. `relabellings` times are spread evenly over the training, each for one head: at
    those the paper takes for CIFAR; of ImageNet's, which are denser at first, all heads are labelled.

    checked: yukimasano/self-label@3891e37
    Compared: labels of two matrices by the code's own optimize_L_sk of cifar.py; the loss by reading.
    Differs: samples are labelled as they are, by a network in evaluation, there as training sees them; at epochs' beginnings,
    as they come due; rates fall by Recipe; any encoder for AlexNet, at the images' own size, there 224 pixels. N × labels
    numbers of float64 are held while labels are found.
    """

    paper = Paper(
        "Self-labelling via simultaneous clustering and representation learning",
        "Asano, Rupprecht, Vedaldi",
        2020,
        "arXiv:1911.05371",
    )
    views = Single(of={"image": {"crop": (0.2, 1.0), "brightness": 0.4, "contrast": 0.4, "saturation": 0.4, "hue": 0.4}})
    recipe = Recipe(optimizer="sgd", lr=0.03, batch=128, weight_decay=5e-4, schedule="step", milestones=(0.6, 0.8), epochs=400)
    recipes = {"small": Recipe(optimizer="adamw", lr=1e-3, batch=128, weight_decay=1e-4, warmup=1, epochs=40)}
    assigned: Tensor
    done: Tensor

    def __init__(
        self,
        encoder: Encoder,
        *,
        labels: int = 128,
        heads: int = 10,
        sharpness: float = 10.0,
        relabellings: int = 400,
        tolerance: float = 0.01,
    ):
        super().__init__(encoder)
        positive(heads=heads, sharpness=sharpness, relabellings=relabellings, tolerance=tolerance)
        if labels < 2:
            raise TacitError(f"labels is {labels}; give 2 or more.")
        self.head = nn.Linear(encoder.dim, heads * labels)
        self.labels, self.heads, self.sharpness = labels, heads, sharpness
        self.relabellings, self.tolerance = relabellings, tolerance

    def prepare(self, facts: Facts):
        if facts.n < self.labels:
            raise TacitError(f"There are {self.labels} labels for {facts.n} samples; give --labels {max(facts.n // 10, 2)}.")
        balanced = torch.arange(facts.n) % self.labels
        self.register_buffer("assigned", torch.stack([balanced[torch.randperm(facts.n)] for _ in range(self.heads)], 1))
        self.register_buffer("done", torch.zeros((), dtype=torch.int64))  # relabellings so far

    def before_epoch(self, embed: Any):
        due = int(self.progress * self.relabellings) + 1
        if int(self.done) == due:
            return
        z = embed(how=lambda batch: self.encoder(batch.views[0])).double()
        weight, bias = (p.detach().cpu().double().unflatten(0, (self.heads, -1)) for p in (self.head.weight, self.head.bias))
        for number in range(max(int(self.done), due - self.heads), due):  # of a head that comes twice only the last counts
            head = number % self.heads
            said = (z @ weight[head].T + bias[head]).log_softmax(1)
            self.assigned[:, head] = equal_labels(said, 1 / self.sharpness, self.tolerance).to(self.assigned.device)
        self.done.fill_(due)

    def step(self, batch: Batch):
        said = self.head(self.encoder(batch.views[0])).float().unflatten(1, (self.heads, -1))
        return cross_entropy(said.transpose(1, 2), self.assigned[batch.index])
