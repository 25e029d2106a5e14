"""What was heard until now: causal convolutions over latents."""

import torch.nn.functional as F
from torch import Tensor, nn


class CausalContext(nn.Module):
    """Convolutions of width 3 that reach back in time only: n × t × dim -> n × t × dim (Schneider et al. 2019, section 3.1).

    What precedes the first latent is its repetition. Each is followed by a norm over channels and time, as in the paper, whose
    mean and deviation do see the future, and by ReLU.
    """

    def __init__(self, dim: int, layers: int):
        super().__init__()
        convolutions = [nn.Conv1d(dim, dim, 3) for _ in range(layers)]
        self.layers = nn.ModuleList(convolutions)
        self.norms = nn.ModuleList(nn.GroupNorm(1, dim) for _ in range(layers))
        for convolution in convolutions:
            nn.init.kaiming_normal_(convolution.weight, nonlinearity="relu")

    def forward(self, z: Tensor) -> Tensor:
        c = z.transpose(1, 2)
        for layer, norm in zip(self.layers, self.norms):
            c = F.relu(norm(layer(F.pad(c, (2, 0), mode="replicate"))))
        return c.transpose(1, 2)
