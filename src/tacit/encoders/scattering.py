"""An image encoder whose first two layers are wavelets that are not learned, below a small network that is."""

import math
from itertools import product

import torch
from torch import Tensor, nn
from torch.fft import fft, fft2, ifft, ifft2
from torch.nn.functional import adaptive_avg_pool2d, pad, relu

from tacit.encoders.image import _conv, _Residual, image_shape
from tacit.errors import TacitError
from tacit.method import Facts
from tacit.numerics.exact import full_precision

CELLS = 4  # to a side, to which maps are averaged
AROUND = 2  # copies of the plane to each side over which a filter is summed: what is further away is nothing


class ScatteringNet(nn.Module):
    """Scattering coefficients of each channel, then a convolution to `stem` maps and `blocks` residual blocks of `width`.

    The coefficients are of `octaves` (J) scales and `directions` (L), 1 + JL + L²J(J − 1)/2 of them at a 2^J-th of the side;
    the network's maps are averaged to 4 × 4. ScatSimCLR30 has 16 directions, a stem of 256 and 30 blocks.
    """

    dim: int

    def __init__(
        self, facts: Facts, *, octaves: int = 2, directions: int = 8, stem: int = 64, width: int = 128, blocks: int = 4
    ):
        super().__init__()
        channels, height, across = image_shape(facts)
        if min(octaves, directions, stem, width, blocks) < 1:
            raise TacitError(
                f"scattering got octaves {octaves}, directions {directions}, stem {stem}, width {width} and blocks {blocks}; "
                "each counts from 1."
            )
        self.scattering = Scattering(height, across, octaves, directions)
        first, *others = [_Residual(stem, width, 1), *(_Residual(width, width, 1) for _ in range(blocks - 1))]
        self.stem = nn.Sequential(_conv(channels * self.scattering.maps, stem, 3, 1), nn.BatchNorm2d(stem))
        self.blocks = nn.Sequential(first, *others)
        self.dim = width * CELLS**2

    def forward(self, x: Tensor) -> Tensor:
        """Images n × c × h × w -> n × dim: width numbers in each of 4 × 4 cells."""
        maps = self.blocks(relu(self.stem(self.scattering(x).flatten(1, 2))))
        return adaptive_avg_pool2d(maps, CELLS).flatten(1)


class Scattering(nn.Module):
    """The scattering transform of order two (Mallat 2012; Bruna and Mallat 2013, arXiv:1203.1513) of images of one size.

    |·| of convolutions with Morlet wavelets, and of these again with coarser ones, averaged by a Gaussian. Filters, padding by
    reflection and the order of maps are those of kymatio 0.3.0, with which numbers were compared.
    """

    wavelets: Tensor  # octaves × directions × h × w, by frequency

    def __init__(self, height: int, across: int, octaves: int, directions: int):
        super().__init__()
        step = 2**octaves
        if min(height, across) < 2 * step:
            raise TacitError(f"Images of {height} × {across} are too small for {octaves} octaves; give fewer --octaves.")
        self.octaves, self.maps = octaves, 1 + octaves * directions + directions**2 * octaves * (octaves - 1) // 2
        sides = [((side + step) // step + 1) * step for side in (height, across)]
        margins = [(whole - side, (whole - side) // 2) for whole, side in zip(sides, (height, across))]
        (tall, above), (wide, left) = margins
        self.margins = (left, wide - left, above, tall - above)
        turns = [(directions - directions // 2 - 1 - place) * math.pi / directions for place in range(directions)]
        bank = [[morlet(sides, scale, turn, directions) for turn in turns] for scale in range(octaves)]
        self.register_buffer("wavelets", torch.stack([torch.stack(row) for row in bank]).float(), persistent=False)
        for name, side in zip(("rows", "columns"), sides):
            low = fft(gabor([1, side], 0.8 * 2 ** (octaves - 1), 0.0, 0.0, 1.0)[0]).real
            for scale in range(octaves):  # a Gaussian is a product of one along rows and one along columns
                seen = fft(torch.eye(side >> scale, dtype=low.dtype)) * cut(low / low[0], 2**scale)
                averaged = ifft(seen.unflatten(1, (2 ** (octaves - scale), -1)).mean(1)).real[:, 1:-1]
                self.register_buffer(f"{name}_{scale}", averaged.float(), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """Images n × c × h × w -> n × c × maps × h' × w', about a 2^octaves-th of their sides."""
        with full_precision():
            padded = pad(x.float(), self.margins, mode="reflect")[:, :, None]
            seen, zeroth, first, second = fft2(padded), [self.averaged(padded, 0)], [], []
            for scale in range(self.octaves):
                strengths = ifft2(folded(seen * self.wavelets[scale], 2**scale)).abs()
                first.append(self.averaged(strengths, scale))
                coarser = range(scale + 1, self.octaves)
                filters = [cut(cut(self.wavelets[one], 2**scale).mT, 2**scale).mT for one in coarser]
                for direction in fft2(strengths).split(1, 2) if filters else ():  # one at a time, for memory
                    for one, finer in zip(coarser, filters):
                        again = ifft2(folded(direction * finer, 2 ** (one - scale))).abs()
                        second.append(self.averaged(again, one))
            return torch.cat(zeroth + first + second, 2)

    def averaged(self, x: Tensor, scale: int) -> Tensor:
        """Maps at a 2^scale-th of the sides -> averaged, at a 2^octaves-th, without what was padded."""
        rows, columns = (self.get_buffer(f"{name}_{scale}") for name in ("rows", "columns"))
        return rows.T @ x @ columns


def folded(x: Tensor, times: int) -> Tensor:
    """What every so manyth pixel of a map says, both by frequency: … × h × w -> … × h/times × w/times."""
    for place in (-2, -1):
        x = sum(x.chunk(times, place)[1:], x.chunk(times, place)[0])  # a mean over a dimension of its own is far slower
    return x / times**2


def cut(x: Tensor, times: int) -> Tensor:
    """The low frequencies of a filter, along the last dimension, for maps of so much smaller sides."""
    side, kept = x.shape[-1], x.shape[-1] // times
    rows = torch.arange(kept, device=x.device)
    return x.index_select(-1, torch.where(rows < (kept + 1) // 2, rows, rows + side - kept))


def morlet(sides: list[int], scale: int, turn: float, directions: int) -> Tensor:
    """A wave below a Gaussian, less what it says of a constant, by frequency: float64, h × w."""
    how = sides, 0.8 * 2**scale, turn
    slant = 4 / directions
    wave, envelope = gabor(*how, 3 / 4 * math.pi / 2**scale, slant), gabor(*how, 0.0, slant)
    return fft2(wave - wave.sum() / envelope.sum() * envelope).real


def gabor(sides: list[int], sigma: float, turn: float, frequency: float, slant: float) -> Tensor:
    """exp(i ξ·u) times a Gaussian that is 1/slant as long across the wave, on a plane that is rolled up: complex128, h × w."""
    height, across = sides
    rows, columns = torch.arange(height).double()[:, None], torch.arange(across).double()
    total = torch.zeros(height, across, dtype=torch.complex128)
    for down, right in product(range(-AROUND, AROUND + 1), repeat=2):
        y, x = rows + down * height, columns + right * across
        along, beside = y * math.cos(turn) + x * math.sin(turn), x * math.cos(turn) - y * math.sin(turn)
        total += torch.exp(torch.complex(-(along**2 + (slant * beside) ** 2) / (2 * sigma**2), frequency * along))
    return total * slant / (2 * math.pi * sigma**2)
