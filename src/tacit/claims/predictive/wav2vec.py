"""wav2vec: what a wave has next, and whether a few labelled words of other speakers then say more."""

from typing import Any

from tacit.claims.claim import Claim, Found
from tacit.claims.sounds import OnSounds
from tacit.methods.predictive.wav2vec import Wav2Vec

SHARED: dict[str, Any] = {"width": 64, "seconds": 0.3, "context_layers": 3, "batch": 64, "epochs": 20, "lr": 1e-3, "warmup": 1}


def rule(found: Found) -> dict[str, bool]:
    return {
        "with 10 labels of each word it is above log-mel statistics": found.above("wav2vec", "log-mel statistics"),
        "with 10 labels of each word it is above the untrained network": found.above("wav2vec", "untrained"),
    }


CLAIM = Claim(
    says="Representations learned from unlabelled waves are above log-mel features where few transcripts are there (nov92: up "
    "to 36 % fewer word errors).",
    here="fsdd (spoken digits, 8 kHz) in place of Librispeech and WSJ: three speakers without labels, 20 epochs; 4 "
    "convolutions of 64 channels, a latent every 10 ms, 3 layers of context where the paper has 5 of 512 and 9; contexts "
    "averaged over time; a linear probe from 10 labels of each digit of these speakers, judged on the fourth, each of whom is "
    "left out once.",
    arms={
        "log-mel statistics": OnSounds(Wav2Vec, SHARED, "raw input"),
        "untrained": OnSounds(Wav2Vec, SHARED, "untrained encoder"),
        "wav2vec": OnSounds(Wav2Vec, SHARED),
    },
    metric="few_10",
    rule=rule,
    seeds=4,
    kinds=("audio",),
    why="With 10 labels it is 8.2 points below log-mel statistics (± 13.4). Likely 1 500 spoken digits, 20 epochs and a "
    "small network are too little for a speaker never heard, where the paper has Librispeech; and four speakers, who differ "
    "by 18 points, are too few for that gap. No longer run was tried.",
)
