"""Which checkpoint, sampler or scheduler a job means."""

import pytest

from darkroom_agent.runtimes.sdwebui_catalogue import (
    Checkpoint,
    choices_of,
    choose,
    find,
    is_loaded,
    near_choices,
    nearest,
    wish,
)

SHA = "0123abcdef" * 6 + "0123"
ONE = Checkpoint("anime/one.safetensors [0123abcdef]", "anime_one", "/models/anime/one.safetensors", "deadbeef", SHA)
OTHER = Checkpoint("photo/one.safetensors", "photo_one", "/models/photo/one.safetensors")
TWO = Checkpoint("two.ckpt", "two", "/models/two.ckpt")
ALL = (ONE, OTHER, TWO)


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("anime/one.safetensors [0123abcdef]", ONE),
        ("anime/one.safetensors", ONE),
        ("anime\\one", ONE),
        ("anime_one", ONE),
        ("/models/photo/one.safetensors", OTHER),
        ("photo/one.safetensors [ffffffffff]", OTHER),
        ("one", ONE),
        ("deadbeef", ONE),
        (SHA, ONE),
        ("0123abcdef", ONE),
        ("Two.ckpt", TWO),
        ("two", TWO),
        ("three", None),
        ("other/two.ckpt", None),
        ("", None),
    ],
)
def test_a_checkpoint_is_found_by_all_its_names(name: str, meant: Checkpoint | None) -> None:
    """Title, name, file and hashes, as A1111 takes them; another folder is another checkpoint."""
    assert find(ALL, name) is meant


def test_loading_may_add_the_hash_to_the_title() -> None:
    """The option then names the same checkpoint in other words."""
    assert is_loaded(TWO, "two.ckpt [0011223344]")
    assert not is_loaded(OTHER, ONE.title)
    assert not is_loaded(TWO, None)


def test_a_message_names_a_few_checkpoints() -> None:
    """The likeliest first."""
    many = [Checkpoint(f"model{i}.ckpt") for i in range(100)]
    assert nearest([*many, TWO], "twoo.ckpt").split(", ")[0] == "two.ckpt"
    assert nearest(many, "x").count(",") == 4
    assert nearest([], "x") == "none"


SAMPLERS = choices_of(
    [
        {"name": "DPM++ 2M", "aliases": ["k_dpmpp_2m"]},
        {"name": "Euler a", "aliases": None},
        {"name": "euler_cfg", "aliases": ["euler_cfg"]},
        "odd",
    ]
)
SCHEDULERS = choices_of([{"name": "karras", "label": "Karras"}, {"name": "sgm_uniform", "label": "SGM Uniform"}])


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("DPM++ 2M", "DPM++ 2M"),
        ("DPM++ 2M Karras", "DPM++ 2M"),
        ("Euler a SGM Uniform", "Euler a"),
        ("k_dpmpp_2m", "DPM++ 2M"),
        ("euler_a", "Euler a"),
        ("Euler CFG", "euler_cfg"),
        ("Karras", None),
        ("Nope", None),
    ],
)
def test_a_sampler_is_found_by_its_names_with_or_without_a_scheduler(name: str, meant: str | None) -> None:
    """Servers differ in how they spell them."""
    assert choose(name, SAMPLERS, SCHEDULERS) == meant


def test_near_names_are_offered() -> None:
    """In the server's own spelling."""
    assert near_choices("Euler b", SAMPLERS)[0] == "Euler a"


def test_only_a_wish_is_checked() -> None:
    """Nothing, null, the default, or what is no text is left to the server."""
    assert wish({"sampler_name": "Euler"}, "sampler_name") == "Euler"
    for value in ("", None, "Default", "Automatic", 3):
        assert wish({"sampler_name": value}, "sampler_name") is None
    assert wish({}, "scheduler") is None
