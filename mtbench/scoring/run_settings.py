"""What a run was made with, as its signatures name it."""

from __future__ import annotations

from mtbench.avsr import describe_traits, identify
from mtbench.benchmarks import name_model, name_templates, name_truth_models
from mtbench.files import digest_bytes
from mtbench.metrics import name_region
from mtbench.results import SignatureContext
from mtbench.scoring.plan import Plan
from mtbench.scoring.stages import load_resources
from mtbench.scoring.vocabularies import name_word_lists
from mtbench.speech import MIXINGS


def describe_settings(plan: Plan) -> SignatureContext:
    """Return what all numbers of a run follow from, by the keys of :mod:`mtbench.results.signature`."""
    from mtbench.version import __version__

    benchmark, submission = plan.benchmark, plan.submission
    topology = load_resources(plan.setup).topology
    entry = {"posed": name_model(submission.kind), "resample": submission.resampling}
    # Vertices are compared vertex by vertex: neither triangles nor a neutral face enter, so none is named.
    geometry: dict[str, object] = {"topology": topology.name, **entry}
    compared = [c for c in benchmark.clips if c.motion_path is not None and c.topology == topology.name]
    truth = name_truth_models(compared)
    geometry |= {"truth": truth, "template": name_templates(compared)}
    video: dict[str, object] = {"topology": f"{topology.name}#{topology.surface_digest}", **entry}
    still: dict[str, object] = {"truth": truth}
    if len(compared) < len(benchmark.clips):
        still["rest"] = f"{topology.name}#{topology.neutral_digest}"
    recognition, rendering = _describe_recognition(plan)
    return SignatureContext(
        common={
            "bench": f"{benchmark.ref}#{benchmark.digest}",
            "fps": benchmark.fps,
            "version": __version__,
        },
        recognition=recognition,
        audio={"mix": MIXINGS[plan.profile.mixing]},
        video=video | rendering,
        still=still,
        geometry=geometry,
        lips=name_region(topology, "lips"),
        upper_face=name_region(topology, "upper_face"),
        noises={noise.name: noise.digest for noise in plan.noises.noises},
    )


def _describe_recognition(plan: Plan) -> tuple[dict[str, object], dict[str, object]]:
    """Return the settings of what is recognized, and of the pictures that are shown for it."""
    profile = plan.profile
    recognition: dict[str, object] = {"profile": profile.name, "norm": profile.normalizer}
    recognition |= profile.averaging.settings()
    resources, benchmark = load_resources(plan.setup), plan.benchmark
    recognizer = resources.recognizer
    if recognizer is None:
        return recognition, {}
    recognition["rec"] = identify(recognizer)
    # Only recognizers with a search to choose have one.
    if (decoder := describe_traits(recognizer).decoder) is not None:
        recognition["dec"] = decoder
    recognition["lexicon"] = name_word_lists(benchmark, plan.setup.vocabularies)
    appearance = digest_bytes(repr(plan.setup.appearance).encode())[:8]
    renderer = resources.renderer
    rendering: dict[str, object] = {
        "render": f"{renderer.name}@{renderer.version}#{appearance}",
        "crop": profile.crop_signature,
    }
    return recognition, rendering
