"""CoTAP: places of two like images are ranked by how alike a slow copy finds them."""

from collections.abc import Iterable, Iterator

import torch
from torch import Tensor, nn
from torch.nn.functional import scaled_dot_product_attention

from tacit.errors import positive, shares
from tacit.method import Batch, Facts, Maps, Method, Paper, Plan, Recipe
from tacit.numerics.exact import unit
from tacit.objectives.dense.ranking import average_precision
from tacit.parts.images.cells import Cells
from tacit.parts.looks import ONE_LOOK
from tacit.parts.partners import Partners
from tacit.parts.patches import take
from tacit.parts.teacher import Teacher, rising
from tacit.views.kinds import Neighbours


class CoTAP(Method):
    """A look at an image and one at one of its `neighbours`, which the encoder finds before it trains: begin with one that is
    trained already (--init). A filter says each cell of their maps by `prototypes` of objects. Each of `queries` cells of the
    one must rank the other's cells as the teacher does, by average precision with relevance between 0 and 1.

    unverified: abstract and README could be read, the loss not. Average precision over all thresholds of relevance, from a
    query's least to its largest, smoothed as Smooth-AP is, one layer of attention as filter and every number are ours.
    """

    paper = Paper(
        "Semantic Concentration for Self-Supervised Dense Representations Learning",
        "Wen, Xu, Dai, Cong, Huang",
        2025,
        "arXiv:2509.09429",
    )
    views = Neighbours(of={"image": ONE_LOOK})
    recipe = Recipe(lr=1e-4, batch=128, weight_decay=0.04, warmup=1, epochs=50)
    recipes = {"small": Recipe(lr=1e-3, batch=128, weight_decay=1e-4, warmup=1, epochs=20, options={"teacher_momentum": 0.9})}

    def __init__(
        self,
        encoder: Maps,
        *,
        prototypes: int = 256,
        neighbours: int = 5,
        queries: int = 16,
        temperature: float = 0.05,
        teacher_momentum: float = 0.99,
    ):
        super().__init__(encoder)  # type: ignore[arg-type]  # what offers maps is a module
        positive(prototypes=prototypes, neighbours=neighbours, queries=queries, temperature=temperature)
        shares(teacher_momentum=teacher_momentum)
        self.filter = Filter(encoder.dim, prototypes)
        self.teacher = Teacher(Cells(self.encoder, self.filter))
        self.neighbours, self.queries, self.temperature = neighbours, queries, temperature
        self.teacher_momentum = teacher_momentum

    def prepare(self, facts: Facts):
        self.partners = Partners(facts.n, self.neighbours)

    def before_epoch(self, embed):
        return Plan(partners=self.partners.found(embed))

    def step(self, batch: Batch):
        return self.missed(self.rankings(batch))

    def missed(self, rankings: Iterable[tuple[Tensor, Tensor]]) -> Tensor:
        """What two rankings lack of an average precision of 1, on average: scalar."""
        return 1 - torch.stack([average_precision(*ranking, self.temperature).mean() for ranking in rankings]).mean()

    def rankings(self, batch: Batch) -> Iterator[tuple[Tensor, Tensor]]:
        """Of each look's queries the student's scores of the other's cells and the teacher's relevance: n × q × cells twice."""
        student = Cells(self.encoder, self.filter)
        own, slow = ([see(view).flatten(1, 2) for view in batch] for see in (student, self.teacher))
        for one, other in ((0, 1), (1, 0)):
            which = batch.uniform(f"queries {one}", own[one].shape[1]).argsort(1)[:, : self.queries]
            scores, told = (unit(take(cells[one], which)) @ unit(cells[other]).mT for cells in (own, slow))
            least, most = told.aminmax(dim=2, keepdim=True)
            yield scores, (told - least) / (most - least).clamp_min(1e-6)

    def after_step(self, batch: Batch):
        self.teacher.follow(Cells(self.encoder, self.filter), rising(self.teacher_momentum, self.progress))


class Filter(nn.Module):
    """Rows said by learned prototypes, by attention: m × dim -> m × dim."""

    def __init__(self, dim: int, prototypes: int):
        super().__init__()
        self.prototypes = nn.Parameter(torch.randn(prototypes, dim))
        self.query, self.key, self.value = (nn.Linear(dim, dim, bias=False) for _ in range(3))

    def forward(self, rows: Tensor) -> Tensor:
        q, k, v = self.query(rows), self.key(self.prototypes), self.value(self.prototypes)
        return scaled_dot_product_attention(q[None], k[None], v[None])[0]
