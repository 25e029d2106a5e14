"""What a tile of products is turned into: sums of exponentials, and the slope by them.

On a CPU both are one pass over a tile while it is in the cache, sixteen entries at a time: of float32, or where products are
bounded of bfloat16, by its bits.
"""

from typing import NamedTuple

import numba
import numpy as np
import torch
from numba.extending import overload
from torch import Tensor

SAFE = 60.0  # up to which exponentials of products can be added up as they are: e^60 times a thousand million is a float32
LEAST = -1e30  # the largest of nothing; from −∞ it may be subtracted
FAST = {"reassoc", "contract", "nsz", "arcp"}  # sums may be reordered; infinities and NaN stay what they are


class Sums(NamedTuple):
    """Of exp(product − peak), for each row. The peak is the largest product so far, or 0 where a bound makes that safe."""

    peaks: Tensor
    sums: Tensor

    @classmethod
    def of_nothing(cls, x: Tensor, n: int, bound: float) -> "Sums":
        """In float64 where rows are, or else in float32."""
        sums = torch.zeros(n, dtype=torch.float64 if x.dtype == torch.float64 else torch.float32, device=x.device)
        return cls(torch.full_like(sums, LEAST if bound > SAFE else 0.0), sums)

    def of(self, rows: slice) -> "Sums":
        return Sums(self.peaks[rows], self.sums[rows])

    def rise(self, highest: Tensor) -> None:
        """Peaks to what is higher."""
        peaks = torch.maximum(self.peaks, highest)
        self.sums.mul_((self.peaks - peaks).exp_())
        self.peaks.copy_(peaks)

    def logarithms(self) -> Tensor:
        return self.sums.log() + self.peaks


def add_up(tile: Tensor, rows: Sums, columns: Sums, bound: float) -> None:
    """A tile of products, which is used up, to the sums of its rows, and of its columns where there are any."""
    both = len(columns.sums) > 0
    if bound > SAFE:
        rows.rise(tile.amax(1))
        if both:
            columns.rise(tile.amax(0))
    if _in_one_pass(tile):
        given = (part.numpy() for part in (*rows, *columns))
        (_add if bound > SAFE else _add_safe)(entries(tile), *given)
        return
    tile = tile.to(rows.sums.dtype)
    if bound > SAFE and both:
        columns.sums.add_((tile - columns.peaks).exp_().sum(0))
    exponentials = tile.sub_(rows.peaks[:, None]).exp_()
    rows.sums.add_(exponentials.sum(1))
    if bound <= SAFE and both:
        columns.sums.add_(exponentials.sum(0))


def pull_by(tile: Tensor, of_rows: Tensor, of_columns: Tensor, by_rows: Tensor, by_columns: Tensor, bound: float) -> Tensor:
    """The slope by a tile of products, which is used up, from logarithms of sums and the slopes by them; in the tile's type.

    Columns count where there are sums of them.
    """
    if not len(of_columns):  # exponentials of which nothing is left, and not an infinity times 0
        of_columns, by_columns = of_rows.new_full((tile.shape[1],), -LEAST), of_rows.new_zeros(tile.shape[1])
    of_rows, of_columns = (sums.clamp(min=-SAFE if bound <= SAFE else LEAST) for sums in (of_rows, of_columns))  # of nothing
    if bound <= SAFE:
        weights = by_rows * (-of_rows).exp(), by_columns * (-of_columns).exp()
        if _in_one_pass(tile):
            _pull_safe(entries(tile), *(weight.numpy() for weight in weights))
            return tile
        return tile.to(of_rows.dtype).exp_().mul_(weights[0][:, None] + weights[1]).to(tile.dtype)
    if _in_one_pass(tile):
        _pull(entries(tile), *(part.contiguous().numpy() for part in (of_rows, by_rows, of_columns, by_columns)))
        return tile
    exact = tile.to(of_rows.dtype)
    pull = (exact - of_rows[:, None]).exp_().mul_(by_rows[:, None])
    return pull.add_((exact - of_columns).exp_().mul_(by_columns)).to(tile.dtype)


def exponentials(x: Tensor) -> Tensor:
    """In place: n × m, contiguous."""
    if x.device.type != "cpu" or x.dtype != torch.float32:
        return x.exp_()
    _pull_safe(x.numpy(), np.ones(len(x), np.float32), np.zeros(x.shape[1], np.float32))
    return x


def _in_one_pass(tile: Tensor) -> bool:
    return tile.device.type == "cpu" and tile.dtype in (torch.float32, torch.bfloat16)


def entries(tile: Tensor) -> np.ndarray:
    """As an array, of bits where numpy has no such type."""
    return tile.numpy() if tile.dtype == torch.float32 else tile.view(torch.int16).numpy()


@numba.njit(cache=True, nogil=True, fastmath=FAST)
def _add_safe(tile, row_peaks, rows, column_peaks, columns):
    """Add the sums of exp(tile) to those of its rows and columns; all peaks are 0."""
    across, both = np.zeros(len(columns), np.float32), len(columns) > 0  # summed apart: large sums lose digits
    for i in range(tile.shape[0]):
        row = np.float32(0)
        for j in range(tile.shape[1]):
            e = exp(number(tile[i, j]))
            row += e
            if both:
                across[j] += e
        rows[i] += row
    for j in range(len(columns)):
        columns[j] += across[j]


@numba.njit(cache=True, nogil=True, fastmath=FAST)
def _add(tile, row_peaks, rows, column_peaks, columns):
    """The same of exp(tile − peak); no entry is above the peak of its row and of its column."""
    across, both = np.zeros(len(columns), np.float32), len(columns) > 0
    for i in range(tile.shape[0]):
        peak, row = row_peaks[i], np.float32(0)
        for j in range(tile.shape[1]):
            s = tile[i, j]
            row += exp(s - peak)
            if both:
                across[j] += exp(s - column_peaks[j])
        rows[i] += row
    for j in range(len(columns)):
        columns[j] += across[j]


@numba.njit(cache=True, nogil=True, fastmath=FAST)
def _pull_safe(tile, by_rows, by_columns):
    """tile <- exp(tile) times the sum of a number of its row and one of its column."""
    for i in range(tile.shape[0]):
        by_row = by_rows[i]
        for j in range(tile.shape[1]):
            tile[i, j] = _like(tile[i, j], exp(number(tile[i, j])) * (by_row + by_columns[j]))


@numba.njit(cache=True, nogil=True, fastmath=FAST)
def _pull(tile, of_rows, by_rows, of_columns, by_columns):
    """tile <- exp(tile − of row) times by row + exp(tile − of column) times by column."""
    for i in range(tile.shape[0]):
        of_row, by_row = of_rows[i], by_rows[i]
        for j in range(tile.shape[1]):
            s = tile[i, j]
            tile[i, j] = exp(s - of_row) * by_row + exp(s - of_columns[j]) * by_columns[j]


@numba.njit(cache=True, nogil=True, fastmath=FAST)
def exp(x):
    """e^x of a float32 to 1.2e-7 of it, 0 below −87: additions and products, which go sixteen at a time, and 2^k by its bits.

    Cody and Waite 1980 for the range, e^x = 2^k e^f with |f| ≤ ln 2 / 2; coefficients of the Cephes library.
    """
    k = np.floor(x * np.float32(1.44269504) + np.float32(0.5))
    f = x - k * np.float32(0.693359375) + k * np.float32(2.12194440e-4)
    p = np.float32(1.9875691500e-4)
    p = p * f + np.float32(1.3981999507e-3)
    p = p * f + np.float32(8.3334519073e-3)
    p = p * f + np.float32(4.1665795894e-2)
    p = p * f + np.float32(1.6666665459e-1)
    p = p * f + np.float32(5.0000001201e-1)
    p = p * f * f + f + np.float32(1)
    power = np.int32((np.int32(k) + np.int32(127)) << np.int32(23)).view(np.float32)
    e = p * power if x < np.float32(88) else x * np.float32(3e38)  # NaN stays so
    return np.float32(0) if x < np.float32(-87) else e


def number(entry):
    """The float32 of an entry of a tile."""


def _like(entry, value):
    """A float32 as what the tile holds, to the nearest."""


@overload(number, inline="always")
def _number_of(entry):
    if isinstance(entry, numba.types.Integer):
        return lambda entry: np.int32(np.int32(entry) << np.int32(16)).view(np.float32)
    return lambda entry: entry


@overload(_like, inline="always")
def _like_of(entry, value):
    if isinstance(entry, numba.types.Integer):

        def rounded(entry, value):
            bits = np.float32(value).view(np.int32)
            return np.int16((bits + np.int32(0x7FFF) + ((bits >> np.int32(16)) & np.int32(1))) >> np.int32(16))

        return rounded
    return lambda entry, value: value
