"""Places of an image, one after another, as a projector sees them."""

from torch import Tensor, nn


class Cells(nn.Module):
    """What a projector says of each cell of an encoder's map: images -> n × h × w × dim."""

    def __init__(self, encoder: nn.Module, projector: nn.Module):
        super().__init__()
        self.encoder, self.projector = encoder, projector

    def forward(self, x: Tensor) -> Tensor:
        maps = self.encoder.maps(x).permute(0, 2, 3, 1)  # type: ignore[operator]
        return self.projector(maps.flatten(0, 2)).unflatten(0, maps.shape[:3])
