"""The loop: every method, every modality, one file read top to bottom. No method's name is in it.

What a step computes is a pure function of the seed and the position, since torch's generator is seeded by counter before
every hook: a resumed run equals an uninterrupted one bit for bit, and no random state needs saving.
"""

from collections.abc import Generator
from itertools import count
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from tacit.errors import TacitError
from tacit.method import Batch, Method, Plan, Stage, Stop, Trained, nested
from tacit.numerics import counter, processes
from tacit.training import finite, optimizers, precision, schedules, sharding
from tacit.training.alarms import Watch
from tacit.training.averaging import Average
from tacit.training.chunks import NORMS, chunked, normalising
from tacit.training.distributed import attach, join, shares
from tacit.training.embedding import embedder, represent
from tacit.training.journal import Journal
from tacit.training.launching import agree, agreed
from tacit.training.plans import settled
from tacit.training.setting import Moment, Setting, close_streams, observed, open_streams, open_usual
from tacit.training.shared_norms import share_norms
from tacit.training.signals import Probe
from tacit.training.state import Keeper, reseed
from tacit.training.stopping import Interrupted, Stopping
from tacit.training.turns import Focus, add

Story = Generator[Stage, Trained, None]


def train(story: Story, setting: Setting, encoder: nn.Module | None = None) -> Trained:
    """Train every stage of a story, going on from what the folder holds; returns what the last stage left."""
    trained: Any = None
    asked = False
    for number in count():
        reseed(setting.seed, number, "story")
        try:
            stage = story.send(trained)
        except StopIteration:
            break
        if asked:  # behind the last safe point of the stage before, which is saved as it ended
            raise Interrupted(f"the end of stage {number}")
        if encoder is None or stage.encoder == "fresh":
            encoder = setting.factory()
        with Stopping() as stopping:
            trained = Training(stage, number, encoder, setting, stopping).run()
            asked = agreed(stopping.asked, setting.fabric.device)
        encoder = trained.method.encoder
        if setting.sharded:
            encoder = sharding.gathered(encoder, setting.factory(0))
    return trained


class Training:
    """One stage: set up, then epochs of batches of turns."""

    def __init__(self, stage: Stage, number: int, encoder: nn.Module | None, setting: Setting, stopping: Stopping):
        self.setting, self.number, self.stopping, fabric = setting, number, stopping, setting.fabric
        self.seed, self.recipe = (setting.seed, number), (recipe := setting.recipe(stage))
        reseed(*self.seed, "build")
        self.method = method = setting.build(stage, encoder)
        self.feeds = open_streams(method, recipe, setting, counter.key(*self.seed))
        self.main, *self.others = self.feeds.values()
        for inner in nested(method):
            reseed(*self.seed, "prepare")
            inner.batch_size = self.main.batch
            inner.prepare(setting.facts)
        share_norms(method)
        method.to(fabric.device).to(memory_format=precision.layout(fabric.device, setting.facts.shape)).train()
        if self.setting.sharded and type(method).solve is Method.solve:
            sharding.shard(method, recipe, fabric.device)
        self.optimizer = optimizers.build(method, recipe) if type(method).solve is Method.solve else None
        self.focus, self.average = Focus(method), Average(method, recipe.ema)
        if self.optimizer is not None:
            self.wrapped, self.stepper = fabric.setup(method, self.optimizer)
            self.wrapped.mark_forward_method("step")
        self.embed = embedder(method, self.feeds, fabric.autocast)
        self.journal = Journal(setting.folder, setting.quiet, fabric.device)
        self.keeper = Keeper(setting.folder, number, stage, method, self.optimizer, self.average, self.journal)
        self.at, self.plan, self.log_length = self.keeper.restore()
        agree("saved steps", self.at.step, fabric.device)  # everyone has read before anyone writes
        others = [feed.batch for feed in self.others]
        if self.at.batch_size not in (0, self.main.batch) or self.at.others not in ([], others):
            sizes = " and ".join(map(str, [self.at.batch_size, *self.at.others]))
            raise TacitError(
                f"The run's batches of {sizes} cannot be shared evenly by {processes.size()} processes; "
                "go on with a number of them that divides it."
            )
        self.at.batch_size, self.at.others = self.main.batch, others

    def run(self) -> Trained:
        """From wherever the stage stands to its end."""
        if not self.at.finished:
            if self.at.step == 0:
                self.try_own_encoder()
                self.keeper.save(self.at, self.plan)
            total = self.recipe.epochs * (self.recipe.epoch_batches or self.main.n // self.main.batch)
            title = type(self.method).__name__ + (f", stage {self.number + 1}" if self.number else "")
            try:
                self.journal.begin(title, total, self.at.step, self.log_length)
                if self.recipe.chunk and normalising(self.method):
                    self.journal.say(NORMS)
                if self.optimizer is not None and self.main.batch != self.recipe.batch:
                    self.journal.say(f"Batches of {self.main.batch} and not of {self.recipe.batch}, {self.main.why_other}.")
                probe = Probe(self.method, self.main, counter.key(*self.seed), self.setting.fabric.autocast)
                # where a forward is a meeting of processes none looks alone, as at what the first one's log says was seen
                usual = [] if self.setting.sharded else open_usual(self.setting, self.main)
                self.watch = Watch(probe, usual, self.method, self.recipe.batch, self.journal.lines(self.number))
                with chunked(self.method, self.recipe.chunk):
                    self.epochs() if self.optimizer is not None else self.solve()
                if self.journal.steps:
                    self.pause(self.note(self.method.progress))
            finally:
                self.journal.end()
                close_streams(self.feeds)
            self.at.finished = True
            if self.setting.sharded:
                sharding.apart(self.method)
            self.focus.on("", ())
            self.average.into_method()
            self.keeper.save(self.at, self.plan)
        return Trained(self.method.eval(), self.embed)

    def try_own_encoder(self) -> None:
        """Let one that is not ours see two samples before anything is written: what does not fit is said at once."""
        own = self.method.encoder is not None and not type(self.method.encoder).__module__.startswith("tacit.")
        if own and not self.setting.sharded:
            represent(self.method, self.main, np.arange(2), self.setting.fabric.autocast, self.method.represent)

    def solve(self) -> None:
        """A closed form: it keeps its state in buffers and yields where it may be interrupted."""
        reseed(*self.seed, "solve")
        with torch.no_grad():
            for step, _ in enumerate(self.method.solve(self.main), 1):
                self.at.step = step
                self.pause(agreed(self.stopping.asked, self.setting.fabric.device))

    def epochs(self) -> None:
        while self.at.epoch < self.recipe.epochs and self.open_epoch():
            order = self.main.order(self.at.epoch, self.plan)
            if not order:
                raise TacitError("The plan of this epoch holds no whole batch; give a smaller --batch or more samples.")
            self.method.progress = (self.at.epoch + max(self.at.batch - 1, 0) / len(order)) / self.recipe.epochs  # of the last
            if self.at.step == 0 and (said := self.watch.told(0, 0.0)):
                self.journal.tell({"stage": self.number, "epoch": 0, "step": 0, **said})
            left = range(self.at.batch, len(order))
            todo = [(share, place) for place in left for share in shares(order[place], self.recipe.accumulate)]
            coming = self.main.ahead(todo, self.at.epoch, self.plan)
            for place in left:
                progress = (self.at.epoch + place / len(order)) / self.recipe.epochs
                self.batch([next(coming) for _ in range(self.recipe.accumulate)], progress)
                self.at.batch, self.at.step = place + 1, self.at.step + 1
                self.beat(progress)
                if self.at.step == self.setting.most_steps:
                    return
            self.observe()
            self.at.epoch, self.at.batch, self.at.planned = self.at.epoch + 1, 0, False

    def open_epoch(self) -> bool:
        """Let the methods look at all samples and plan; False where one of them wants to stop."""
        if not self.at.planned:
            self.plan = None
            for inner in nested(self.method):
                inner.progress = self.at.epoch / self.recipe.epochs
                reseed(*self.seed, "epoch", self.at.epoch)
                said = inner.before_epoch(self.embed)
                optimizers.forget(self.stepper.optimizer, inner.renewed)
                if isinstance(said, Stop):
                    self.journal.say(f"{type(inner).__name__} stops: {said.why}")
                    return False
                self.plan = settled(said, self.main.n) if isinstance(said, Plan) else self.plan
            self.at.planned = True
        return True

    def batch(self, parts: list[Batch], progress: float) -> None:
        """One batch: every player's turn over its micro-batches, then what is not moved by gradient."""
        recipe, step, methods = self.recipe, self.at.step, nested(self.method)
        for inner in methods:
            inner.progress = progress
        assert self.optimizer is not None  # a stage that solves has no batches
        optimizers.set_rate(self.optimizer, recipe, progress)
        attach(parts, self.others, step)
        held = tuple(prefix for prefix, epochs in recipe.hold.items() if self.at.epoch < epochs)
        terms: dict[str, Tensor] = {}
        turns = recipe.turns or tuple(self.method.players) or ("",)
        for turn, player in enumerate(turns):
            if not self.focus.on(player, held):
                continue
            self.optimizer.zero_grad(set_to_none=True)
            for micro, part in enumerate(parts):
                reseed(*self.seed, step, processes.rank(), turn, micro)
                with self.setting.fabric.no_backward_sync(self.wrapped, enabled=micro + 1 < len(parts)):
                    with self.setting.fabric.autocast():
                        loss = self.wrapped.step(part, player) if player else self.wrapped.step(part)
                    self.setting.fabric.backward(add(loss, player, terms, len(parts), turns.count(player)))
            if self.setting.sharded:
                sharding.apart(self.method)
            if recipe.clip and self.setting.sharded:
                sharding.clip(self.method.parameters(), recipe.clip)
            elif recipe.clip:
                self.setting.fabric.clip_gradients(self.wrapped, self.stepper, max_norm=recipe.clip, error_if_nonfinite=False)
            self.stepper.step()
        self.average.update()
        self.journal.add(terms, sum(map(len, parts)) * processes.size())
        joined = join(parts)
        for inner in methods:
            reseed(*self.seed, "after", step)
            with torch.no_grad():
                inner.after_step(joined)
            optimizers.forget(self.optimizer, inner.renewed)

    def beat(self, progress: float) -> None:
        """Every few steps a line; a stop that one process was asked for at once."""
        if self.at.step % self.setting.log_steps == 0:
            self.pause(self.note(progress))
        elif self.stopping.asked and processes.size() == 1:
            self.finite(self.journal.waiting(), {"stage": self.number, "epoch": self.at.epoch, "step": self.at.step})
            self.pause(True)

    def note(self, progress: float) -> bool:
        """A line of the log, by its one collective; whether any process was asked to stop."""
        means, stop = self.journal.means(self.stopping.asked)
        line: dict[str, Any] = {"stage": self.number, "epoch": self.at.epoch, "step": self.at.step, **means}
        self.finite(means, line)
        line["lr"] = schedules.rate(self.recipe, progress)
        due = self.at.step % (5 * self.setting.log_steps) == 0 or self.at.step < 5 * self.setting.log_steps  # most at first
        self.journal.write(line | (self.watch.told(self.at.step, progress) if due else {}), self.at.step)
        return stop

    def finite(self, terms: dict[str, float], line: dict[str, Any]) -> None:
        """Stop what has left the numbers, with a line of the log that says so."""
        try:
            finite.check(terms, self.method, self.at.step)
        except TacitError:
            self.journal.tell(line | {"alarm": "divergence"})  # `tacit doctor` finds it
            raise

    def observe(self) -> None:
        """A line of what those say who only look, now and then at the end of an epoch."""
        reseed(*self.seed, "observe", self.at.epoch)
        if said := observed(self.setting, self.method, Moment(self.number, self.at.epoch + 1, self.recipe.epochs)):
            self.journal.tell({"stage": self.number, "epoch": self.at.epoch, "step": self.at.step, **said})

    def pause(self, stop: bool) -> None:
        """A safe point: save when it is due, and leave when that was asked for, which all processes say alike."""
        if agreed(stop or self.keeper.due(self.setting.save_seconds), self.setting.fabric.device):
            self.keeper.save(self.at, self.plan)
        if stop:
            self.setting.fabric.barrier()  # where a process leaves, the first is ended soon: not before it has written
            raise Interrupted(f"step {self.at.step}" + (f" of stage {self.number + 1}" if self.number else ""))
