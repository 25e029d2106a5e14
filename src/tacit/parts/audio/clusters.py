"""Which patches of a spectrogram are hidden: square clusters of them."""

import torch
import torch.nn.functional as F
from torch import Tensor


def clustered(draws: Tensor, rows: int, hidden: int, sides: tuple[int, int]) -> Tensor:
    """Block after block around random corners until `hidden` patches are: int64, n × hidden, positions in no order.

    draws uniform, n × (1 + 2 · patches): the side of all blocks of a sample, the corners' order, and what decides within the
    last block. `sides` is the range of the side; of (1, 1) single patches are hidden. A patch is hidden when the first block
    that covers it is: corners are in random order, and a block reaches from its corner to later rows and columns.

    Gong et al. 2021, arXiv:2110.09784, section 2.2. Differs from the released code: a block ends at the edge, where theirs goes
    on in the next row; the first patch is hidden as often as others; of the last block those stay that are drawn, not the last.
    """
    patches = (draws.shape[1] - 1) // 2
    columns = patches // rows
    turn = draws[:, 1 : 1 + patches].argsort(1).argsort(1).float().view(-1, 1, rows, columns)
    side = sides[0] + (draws[:, 0] * (sides[1] - sides[0] + 1)).long()
    when = turn.flatten(1)
    for width in range(sides[0], sides[1] + 1):
        before = F.pad(-turn, (width - 1, 0, width - 1, 0), value=-torch.inf)
        first = -F.max_pool2d(before, width, 1).flatten(1)
        when = torch.where((side == width)[:, None], first, when)
    return (when + draws[:, 1 + patches :]).argsort(1)[:, :hidden]
