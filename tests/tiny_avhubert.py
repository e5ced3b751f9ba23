"""A tiny AV-HuBERT with random weights, in the files that published ones come in."""

import collections
import io
import sys
import types
from pathlib import Path

import torch

from mtbench.avsr.avhubert.decoder import DecoderSizes
from mtbench.avsr.avhubert.encoder import EncoderSizes
from mtbench.avsr.avhubert.recognition import AVHubertNetwork

#: Its dictionary, after the four special tokens.
PIECES = ["\u2581", *"abcdefghijklmno"]


def make_tensors(seed: int = 5) -> dict[str, torch.Tensor]:
    """A network with random weights, in fairseq's names."""
    torch.manual_seed(seed)
    encoder = EncoderSizes(width=32, inner=48, heads=2, layers=2, kernel=8, groups=4, pre_norm=True)
    decoder = DecoderSizes(width=16, inner=24, heads=2, layers=2, vocabulary=len(PIECES) + 4, source=32)
    network = AVHubertNetwork(encoder, decoder)
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, 0.0, 0.3)
    return {name: value.clone() for name, value in network.state_dict().items()}


def _class_of(module: str, name: str) -> type:
    made = sys.modules.setdefault(module, types.ModuleType(module))
    cls = type(name, (), {"__module__": module})
    setattr(made, name, cls)
    return cls


def write_fairseq_file(tensors: dict[str, torch.Tensor], path: Path) -> Path:
    """As fairseq's trainer writes it: half precision, settings of omegaconf, a dictionary, an enumeration."""
    modules = ("fairseq.data.dictionary", "omegaconf.dictconfig", "omegaconf.nodes")
    parents = ("fairseq", "fairseq.data", "omegaconf")
    sys.modules.update({name: types.ModuleType(name) for name in parents})
    try:
        node, config = _class_of(modules[2], "AnyNode"), _class_of(modules[1], "DictConfig")

        def wrap(value):
            one = config() if isinstance(value, dict) else node()
            if isinstance(value, dict):
                one.__dict__["_content"] = {key: wrap(inside) for key, inside in value.items()}
            else:
                one.__dict__["_val"] = value
            return one

        inner = {"encoder_attention_heads": 2, "layer_norm_first": True}
        settings = wrap({"model": {"decoder_attention_heads": 2, "w2v_args": {"model": inner}}})
        dictionary = _class_of(modules[0], "Dictionary")()
        dictionary.symbols = ["<s>", "<pad>", "</s>", "<unk>", *PIECES]
        model = {
            name: value.half() if value.is_floating_point() else value for name, value in tensors.items()
        }
        model["encoder.w2v_model.mask_emb"] = torch.zeros(104)
        model["decoder.embed_positions._float_tensor"] = torch.zeros(1)
        state = {
            "args": None,
            "cfg": settings,
            "model": collections.OrderedDict(model),
            "task_state": {"target_dictionary": dictionary},
            "last_optimizer_state": None,
        }
        torch.save(state, path)
    finally:
        for module in (*modules, *parents):
            sys.modules.pop(module, None)
    return path


def write_published(folder: Path, code: str = "it", seed: int = 5) -> list[Path]:
    """The three files that MuAViC publishes of a language, under their names."""
    import sentencepiece

    folder.mkdir(parents=True, exist_ok=True)
    weights = write_fairseq_file(make_tensors(seed), folder / "checkpoint_best.pt")
    dictionary = folder / f"dict.{code}.txt"
    dictionary.write_text("".join(f"{piece} 1\n" for piece in PIECES), "utf-8")
    trained = io.BytesIO()
    letters = "".join(PIECES[1:])
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter([" ".join(letters)] * 20),
        model_writer=trained,
        model_type="char",
        vocab_size=len(PIECES) + 3,
        minloglevel=2,
    )
    tokenizer = folder / "tokenizer.model"
    tokenizer.write_bytes(trained.getvalue())
    return [weights, dictionary, tokenizer]
