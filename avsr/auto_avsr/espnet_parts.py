"""What is ESPnet's: conformer blocks, the Transformer decoder, CTC and its prefix scores, the beam search.

This is the only place that names ESPnet's modules. They are imported without what they print (ESPnet tells on standard
error that flash attention, which nothing here wants, is absent), and used without its log, whose first line would give
the root logger a handler.
"""

from __future__ import annotations

import contextlib
import io
import logging
from collections.abc import Iterator

with contextlib.redirect_stderr(io.StringIO()):
    from espnet2.asr.ctc import CTC as CTC
    from espnet2.legacy.nets.batch_beam_search import BatchBeamSearch as BatchBeamSearch
    from espnet2.legacy.nets.batch_beam_search import BatchHypothesis as BatchHypothesis
    from espnet2.legacy.nets.pytorch_backend.conformer.convolution import (
        ConvolutionModule as ConvolutionModule,
    )
    from espnet2.legacy.nets.pytorch_backend.conformer.encoder_layer import EncoderLayer as EncoderLayer
    from espnet2.legacy.nets.pytorch_backend.conformer.swish import Swish as Swish
    from espnet2.legacy.nets.pytorch_backend.transformer.attention import (
        MultiHeadedAttention as MultiHeadedAttention,
    )
    from espnet2.legacy.nets.pytorch_backend.transformer.attention import (
        RelPositionMultiHeadedAttention as RelPositionMultiHeadedAttention,
    )
    from espnet2.legacy.nets.pytorch_backend.transformer.decoder import Decoder as Decoder
    from espnet2.legacy.nets.pytorch_backend.transformer.embedding import (
        RelPositionalEncoding as RelPositionalEncoding,
    )
    from espnet2.legacy.nets.pytorch_backend.transformer.layer_norm import LayerNorm as LayerNorm
    from espnet2.legacy.nets.pytorch_backend.transformer.mask import subsequent_mask as subsequent_mask
    from espnet2.legacy.nets.pytorch_backend.transformer.positionwise_feed_forward import (
        PositionwiseFeedForward as PositionwiseFeedForward,
    )
    from espnet2.legacy.nets.scorers.ctc import CTCPrefixScorer as CTCPrefixScorer
    from espnet2.legacy.nets.scorers.length_bonus import LengthBonus as LengthBonus


@contextlib.contextmanager
def without_log() -> Iterator[None]:
    """Keep ESPnet's log to itself: neither lines about every layer and search, nor a handler of the root logger."""
    root, own = logging.getLogger(), logging.getLogger("espnet2")
    silent, level = logging.NullHandler(), own.level
    root.addHandler(silent)
    own.setLevel(logging.ERROR)
    try:
        yield
    finally:
        own.setLevel(level)
        root.removeHandler(silent)
