"""Views of images on a core: one compiled pass takes each image from uint8 to what an encoder sees, while the cache holds it.

It equals the tensor program of `pixels.py`, which runs elsewhere, within the rounding of float32 (tests hold them equal), and
is an order of magnitude faster: nothing is gathered, no whole batch goes through memory once for every operation, and
what does not change an image costs it nothing. Images are shared out to as many threads as torch is given.
"""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import cache

import numba
import numpy as np
import torch
from torch import Tensor

from tacit.views.memory import Reused
from tacit.views.pixels import CONTRAST, FADE, GREY, HUE, SATURATION

AT_ONCE = 2**18  # values of views that a thread makes before it asks for more
FAR = 5.0  # standard deviations, beyond which a Gaussian weighs less than float32 tells
_memory = Reused()
_FREE = {"contract", "nsz"}  # products may be added without being rounded first


def views(
    pixels: Tensor, box: Tensor, drawn: Mapping[str, Tensor], size: int, kernel: int, mean: Tensor, std: Tensor
) -> Tensor:
    """Cropped, resized, mirrored, recoloured, blurred, solarised and standardised: float32, n × c × size × size.

    pixels uint8, n × h × w × c; box int64, n × 4, inside the image; `drawn` as `ImageViews.look` gives it, or empty: only
    cropped and standardised; kernel odd, the widest that a blur may be, in pixels; mean, std c.
    """
    n, c = len(pixels), pixels.shape[3]
    out = _memory.empty(n, c, size, size)
    order = torch.full((n, 5), FADE)
    factors, flip, solarise, sigma = torch.ones(n, 5), *torch.zeros(2, n, dtype=torch.bool), torch.zeros(n)
    if drawn:
        flip, solarise, sigma = drawn["flip"], drawn["solarise"], drawn["sigma"]
        order[:, :4], factors[:, :4], factors[:, FADE] = drawn["order"], drawn["factors"], 1 - drawn["grey"].float()
    each = [t.contiguous().numpy() for t in (pixels, box, flip, order, factors, sigma, solarise, out)]
    shared = kernel // 2, mean.numpy(), (1 / std).numpy()

    def some(start: int, end: int) -> None:
        _views(*[*(values[start:end] for values in each), *shared])

    many, threads = max(1, AT_ONCE // (c * size * size)), torch.get_num_threads()
    if threads == 1 or n <= many:
        some(0, n)
    else:
        list(_pool(threads).map(some, range(0, n, many), range(many, n + many, many)))
    return out


@cache
def _pool(threads: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(threads, thread_name_prefix="views")


@numba.njit(cache=True, nogil=True, error_model="numpy")
def _views(pixels, box, flip, order, factors, sigma, solarise, out, radius, mean, scale):
    channels, size = out.shape[1], out.shape[2]
    rows = pixels.reshape(pixels.shape[0], pixels.shape[1], pixels.shape[2] * channels)
    down, tall = np.empty(rows.shape[2], np.float32), np.empty((size + 2 * (radius + 4), size), np.float32)
    for i in range(len(out)):
        _crop(rows[i], box[i], flip[i], down, out[i])
        flat = out[i].reshape(channels, size * size)
        _recolour(flat, order[i], factors[i])
        if sigma[i] > 0:
            weights = _gaussian(sigma[i], radius)
            for channel in range(channels):
                _blur(out[i, channel], weights, tall)
        for channel in range(channels):
            _finish(flat[channel], solarise[i], mean[channel], scale[channel])


@numba.njit(cache=True, nogil=True, error_model="numpy")
def _triangle(length, size):
    """Where each of `size` pixels over `length` looks first, and its weights: a triangle, as `pixels.resized_crop` has it."""
    one, half = np.float32(1), np.float32(0.5)
    scale = np.float32(length) / np.float32(size)
    support = max(scale, one)
    taps = min(int(np.ceil(2 * support)), length)
    first, weights = np.empty(size, np.int64), np.zeros((size, taps), np.float32)
    for i in range(size):
        centre = (np.float32(i) + half) * scale
        begin = min(int(max(np.floor(centre - support + half), np.float32(0))), length - taps)
        total = np.float32(0)
        for k in range(taps):
            weights[i, k] = max(one - abs(np.float32(begin + k) + half - centre) / support, np.float32(0))
            total += weights[i, k]
        first[i] = begin
        for k in range(taps):
            weights[i, k] /= total
    return first, weights


@numba.njit(cache=True, nogil=True, error_model="numpy", fastmath=_FREE)
def _crop(rows, box, flip, down, out):
    """uint8 rows, h × (w · channels), to channels × size × size in [0, 1]: down the rows, then along the columns."""
    channels, size = out.shape[0], out.shape[1]
    top, vertical = _triangle(box[2], size)
    left, horizontal = _triangle(box[3], size)
    begin, end, taps = box[1] * channels, (box[1] + box[3]) * channels, horizontal.shape[1]
    vertical /= np.float32(255)
    for y in range(size):
        _sum(down, rows[box[0] + top[y]][begin:end], vertical[y, 0], True)
        for k in range(1, vertical.shape[1]):
            if vertical[y, k] > 0:
                _sum(down, rows[box[0] + top[y] + k][begin:end], vertical[y, k], False)
        for x in range(size):
            to = size - 1 - x if flip else x
            if channels == 3:
                at, red, green, blue = np.uint64(3 * left[x]), np.float32(0), np.float32(0), np.float32(0)
                for k in range(taps):
                    weight = horizontal[x, k]
                    red += weight * down[at]
                    green += weight * down[at + np.uint64(1)]
                    blue += weight * down[at + np.uint64(2)]
                    at += np.uint64(3)
                out[0, y, to], out[1, y, to], out[2, y, to] = red, green, blue
            else:
                grey = np.float32(0)
                for k in range(taps):
                    grey += horizontal[x, k] * down[left[x] + k]
                out[0, y, to] = grey


@numba.njit(cache=True, nogil=True, error_model="numpy", fastmath=_FREE)
def _sum(down, row, weight, anew):
    if anew:
        for j in range(len(row)):
            down[j] = weight * np.float32(row[j])
    else:
        for j in range(len(row)):
            down[j] += weight * np.float32(row[j])


@numba.njit(cache=True, nogil=True, error_model="numpy")
def _recolour(x, order, factors):
    """Brightness, contrast, saturation, hue and grey of one image, channels × pixels, in its own order, in place."""
    zero, one, two, six = np.float32(0), np.float32(1), np.float32(2), np.float32(6)
    wr, wg, wb = np.float32(GREY[0]), np.float32(GREY[1]), np.float32(GREY[2])
    colour = x.shape[0] == 3
    red, green, blue = x[0], x[x.shape[0] // 2], x[-1]  # of one channel: thrice the same
    for operation in order:
        f = factors[operation]
        if f == (zero if operation == HUE else one) or (operation >= SATURATION and not colour):
            continue
        if operation == HUE:
            for j in range(x.shape[1]):
                r, g, b = red[j], green[j], blue[j]
                high, low = max(max(r, g), b), min(min(r, g), b)
                chroma = high - low
                scale = one / max(chroma, np.float32(1e-12))
                h = (r - g) * scale + (two + two)
                h = (b - r) * scale + two if g == high else h
                h = (g - b) * scale if r == high else h
                h += six * f
                h -= six * np.floor(h * np.float32(1 / 6))
                red[j] = low + chroma * min(max(abs(h - (one + two)) - one, zero), one)
                green[j] = low + chroma * min(max(two - abs(h - two), zero), one)
                blue[j] = low + chroma * min(max(two - abs(h - (two + two)), zero), one)
        elif operation >= SATURATION:
            for j in range(x.shape[1]):
                own = (wr * red[j] + wg * green[j] + wb * blue[j]) * (one - f)
                red[j] = min(max(f * red[j] + own, zero), one)
                green[j] = min(max(f * green[j] + own, zero), one)
                blue[j] = min(max(f * blue[j] + own, zero), one)
        else:
            grey = zero
            if operation == CONTRAST:
                grey = np.float32(wr * _mean(red) + wg * _mean(green) + wb * _mean(blue) if colour else _mean(red))
            shift, flat = grey * (one - f), x.reshape(-1)
            for j in range(len(flat)):
                flat[j] = min(max(f * flat[j] + shift, zero), one)


@numba.njit(cache=True, nogil=True, error_model="numpy", fastmath={"reassoc", "contract", "nsz"})
def _mean(x):
    total = 0.0
    for j in range(len(x)):
        total += x[j]
    return total / len(x)


@numba.njit(cache=True, nogil=True, error_model="numpy")
def _gaussian(sigma, radius):
    """The weights of pairs of pixels 0 (one pixel twice), 1, … apart, as far as they matter; zeros fill the last four."""
    far = min(radius, int(np.ceil(FAR * sigma)))
    weights = np.zeros(-(-(far + 1) // 4) * 4, np.float32)
    for k in range(far + 1):
        weights[k] = np.exp(np.float32(-0.5) * (k / sigma) ** 2)
    weights[0] /= 2
    return weights / (2 * weights.sum())


@numba.njit(cache=True, nogil=True, error_model="numpy")
def _blur(x, weights, tall):
    """One channel, in place, reflected at its edges: along the rows into the middle of `tall`, then down the columns."""
    size, most = x.shape[0], len(weights) - 1
    line, flat = np.empty(size + 2 * most, np.float32), tall.reshape(-1)
    for y in range(size):
        line[most : most + size] = x[y]
        for k in range(1, most + 1):
            line[most - k], line[most + size - 1 + k] = x[y, _reflected(-k, size)], x[y, _reflected(size - 1 + k, size)]
        for k in range(0, most, 4):
            _four(line, most - k, most + k, 1, weights[k : k + 4], k > 0, tall[most + y])
    for k in range(1, most + 1):
        tall[most - k] = tall[most + _reflected(-k, size)]
        tall[most + size - 1 + k] = tall[most + _reflected(size - 1 + k, size)]
    for y in range(size):
        for k in range(0, most, 4):
            _four(flat, (most + y - k) * size, (most + y + k) * size, size, weights[k : k + 4], k > 0, x[y])


@numba.njit(cache=True, inline="always")
def _reflected(at, size):
    return min(abs((size - 1) - abs((size - 1) - abs(at))), size - 1)  # of a view smaller than a blur: whatever, it weighs 0


@numba.njit(cache=True, nogil=True, error_model="numpy", fastmath=_FREE)
def _four(x, low, high, step, weights, more, out):
    """Weighted sums of four pairs of rows of `x`, which begin `step` farther apart each, added to `out` or put there.

    They are slices of one array, so that it takes one look to see that `out` is none of them: of eight arrays LLVM gives up,
    and takes an element at a time.
    """
    n, first, second, third, fourth = len(out), weights[0], weights[1], weights[2], weights[3]
    a, b, c = x[low : low + n], x[high : high + n], x[low - step : low - step + n]
    d, e, f = x[high + step : high + step + n], x[low - 2 * step : low - 2 * step + n], x[high + 2 * step : high + 2 * step + n]
    g, h = x[low - 3 * step : low - 3 * step + n], x[high + 3 * step : high + 3 * step + n]
    if more:
        for j in range(n):
            near, far = first * (a[j] + b[j]) + second * (c[j] + d[j]), third * (e[j] + f[j]) + fourth * (g[j] + h[j])
            out[j] += near + far
    else:
        for j in range(n):
            near, far = first * (a[j] + b[j]) + second * (c[j] + d[j]), third * (e[j] + f[j]) + fourth * (g[j] + h[j])
            out[j] = near + far


@numba.njit(cache=True, nogil=True, error_model="numpy")
def _finish(x, solarise, mean, scale):
    one, half = np.float32(1), np.float32(0.5)
    for j in range(len(x)):
        value = one - x[j] if solarise and x[j] >= half else x[j]
        x[j] = (value - mean) * scale
