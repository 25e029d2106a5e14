"""Small pictures of time series: a line for each channel."""

import numpy as np
from torch import Tensor

PAPER, HIDDEN = (255, 255, 255), (214, 214, 220)
INKS = ((8, 48, 107), (217, 72, 15), (47, 158, 68), (156, 54, 181), (230, 119, 0), (11, 114, 133))  # of channels, in turn
FINE = 24  # points of a line for each pixel across
FILL = 0.9  # of the picture's height


def lines(values: Tensor, lengths: Tensor, side: int = 64, hidden: Tensor | None = None) -> np.ndarray:
    """Series n × channels × t, of which the first `lengths` (n) are drawn, NaN left out: uint8, n × side × side × 3.

    All channels of a series share one scale, from its lowest value to its highest. `hidden` (bool, n × patches) are laid grey
    behind the lines.
    """
    x = values.detach().float().cpu().numpy()
    n, channels, longest = x.shape
    ends = np.clip(lengths.cpu().numpy().astype(np.float64), 1, longest)
    x = np.where(np.arange(longest) < ends[:, None, None], x, np.nan)
    there = np.isfinite(x)
    low = np.where(there, x, np.inf).min((1, 2), initial=np.inf)
    high = np.where(there, x, -np.inf).max((1, 2), initial=-np.inf)
    wide = np.where(high > low, high - low, 1.0)
    place = np.linspace(0, 1, side * FINE)[None] * (ends[:, None] - 1)
    left = place.astype(int)
    right = np.minimum(left + 1, longest - 1)
    rest = place - left
    row = np.arange(n)[:, None]
    column = np.broadcast_to(np.arange(side * FINE) // FINE, (n, side * FINE))
    picture = np.broadcast_to(np.array(PAPER, np.uint8), (n, side, side, 3)).copy()
    if hidden is not None:
        masks = hidden.cpu().numpy()
        patch = (np.arange(side) * masks.shape[1] // side)[None]
        picture = np.where(masks[row, patch][:, None, :, None], np.array(HIDDEN, np.uint8), picture)
    for channel in range(channels):
        first, second = x[row, channel, left], x[row, channel, right]
        value = np.where(rest > 1e-3, first + rest * (second - first), first)
        drawn = np.isfinite(value)
        height = (np.where(drawn, value, 0) - np.where(np.isfinite(low), low, 0)[:, None]) / wide[:, None]
        at = ((1 - FILL * height - (1 - FILL) / 2) * side).clip(0, side - 1).astype(int)
        for thick in (0, 1):
            picture[np.where(drawn)[0], np.minimum(at + thick, side - 1)[drawn], column[drawn]] = INKS[channel % len(INKS)]
    return picture
