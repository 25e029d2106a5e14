"""Small pictures of point clouds: what lies nearer is darker."""

import numpy as np
from torch import Tensor

PAPER, FAR, NEAR, HIDDEN = (255, 255, 255), (173, 205, 232), (8, 48, 107), (206, 206, 210)
TURN, TIP = np.deg2rad(35), np.deg2rad(25)  # of the eye, around the vertical and above the ground
FILL = 0.9  # of half the picture, that radius 1 takes


def depth(points: Tensor, counts: Tensor, side: int = 64, hidden: Tensor | None = None) -> np.ndarray:
    """Clouds n × p × 3 within radius 1, of which the first `counts` (n) are drawn: uint8, n × side × side × 3.

    Parallel projection, z upwards, seen from a little above; a point is a disc of about a twentieth of the side.
    `hidden` (bool, n × p) are drawn grey, behind the others.
    """
    xyz = points.detach().float().cpu().numpy()
    n, p = xyz.shape[:2]
    x, y, z = np.moveaxis(xyz, 2, 0)
    across, away = np.cos(TURN) * x + np.sin(TURN) * y, np.cos(TURN) * y - np.sin(TURN) * x
    up, near = np.cos(TIP) * z + np.sin(TIP) * away, np.sin(TIP) * z - np.cos(TIP) * away
    shade = np.clip((near + 1) / 2, 0, 1) * 0.999 + 0.001
    shade = np.where(np.arange(p) < counts.cpu().numpy()[:, None], shade, 0)
    if hidden is not None:
        shade = np.where(hidden.cpu().numpy() & (shade > 0), 1e-6, shade)
    nearest = np.zeros((n, side, side), np.float32)
    row, column = ((1 - FILL * up) * side / 2).astype(int), ((1 + FILL * across) * side / 2).astype(int)
    reach = max(1, side // 40)
    sample = np.broadcast_to(np.arange(n)[:, None], (n, p))
    for down in range(-reach, reach + 1):
        for right in range(-reach, reach + 1):
            if down**2 + right**2 <= reach**2:
                place = (sample, np.clip(row + down, 0, side - 1), np.clip(column + right, 0, side - 1))
                np.maximum.at(nearest, place, shade)
    mixed = nearest[..., None] * np.array(NEAR) + (1 - nearest[..., None]) * np.array(FAR)
    picture = np.where(nearest[..., None] > 0, np.where(nearest[..., None] < 1e-5, np.array(HIDDEN), mixed), np.array(PAPER))
    return np.rint(picture).astype(np.uint8)
