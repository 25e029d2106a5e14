"""sent2vec: sentences as means of words and n-grams that were trained for it."""

from tacit.claims.claim import Claim, Found
from tacit.claims.texts import OnTexts, WordVectors
from tacit.methods.cooccurrence.sent2vec import Sent2Vec

TEXTS, WIDTH, PASSES = 72_496, 100, 5
OPTIONS = {"encoder": "averaged_ngrams", "width": WIDTH, "passes": PASSES, "recipe": "small"}
SHORT = {"passes": 1}
BASELINES = ("TF-IDF", "skip-gram, averaged", "skip-gram, weighed by rarity")


def rule(found: Found) -> dict[str, bool]:
    return {f"STS-B: it is above {other}": found.above("sent2vec", other) for other in BASELINES[1:]} | {
        "STS-B: it is 3 points above skip-gram weighed by rarity": found.gap("sent2vec", BASELINES[2]).low > 3,
        "STS-B: it is above TF-IDF": found.above("sent2vec", "TF-IDF"),
        "STS-B: bigrams help": found.above("sent2vec", "sent2vec, words alone"),
        "few labels: it is above averaged skip-gram": found.above("sent2vec", BASELINES[1], "few labels"),
    }


CLAIM = Claim(
    says="Means of words and n-grams that are trained to tell a sentence's words outperform unsupervised models on most tasks.",
    here="72 496 sentences (brown and wikitext2-small, 2 million words) in place of billions of Wikipedia or Twitter, pieces"
    " of the run's tokenizer in place of words, 100 numbers, 5 passes; a rate of 2, ten times the authors', since "
    "theirs hardly moves rows on so few words (seen on the dev part of STS-B before the rule was written: 25 and 67); "
    "Spearman's correlation on the test part of STS-B, accuracy on trec-qc from 2 % of the labels. Skip-gram has "
    "word2vec's numbers and as many passes over the same pieces.",
    arms={
        "TF-IDF": OnTexts(Sent2Vec, TEXTS, {**OPTIONS, "buckets": 2}, which="raw input", short=SHORT),
        "skip-gram, averaged": WordVectors(TEXTS, WIDTH, PASSES, rare=False),
        "skip-gram, weighed by rarity": WordVectors(TEXTS, WIDTH, PASSES, rare=True),
        "sent2vec, words alone": OnTexts(Sent2Vec, TEXTS, {**OPTIONS, "ngrams": 1}, short=SHORT),
        "sent2vec": OnTexts(Sent2Vec, TEXTS, OPTIONS, short=SHORT),
    },
    metric="sts",
    rule=rule,
    kinds=("text",),
    why="It is 3.1 points above weighed skip-gram (± 2.0) where 3 beyond doubt was asked, 11.1 below TF-IDF (± 1.1), 7.2 "
    "below itself without bigrams (± 2.2), and with few labels 12.6 below averaged skip-gram (± 3.1). Likely 2 million "
    "words in place of billions leave most bigrams seen too seldom to be learned; and TF-IDF is strong on STS-B (67.4), "
    "whose like pairs share words. No longer run was tried.",
)
