import os
import re
import subprocess
from pathlib import Path

import pytest
import torch

from handlens import device
from handlens.errors import UsageError


def test_auto_is_the_card_if_torch_can_use_it_else_the_processor() -> None:
    assert device.choose("auto").type == ("cuda" if torch.cuda.is_available() else "cpu")
    assert device.choose("cpu") == torch.device("cpu")


@pytest.mark.parametrize("name", ["gpu", "cuda:x", "", "cpu:0:1"])
def test_an_unknown_device_is_answered_with_the_known_ones(name: str) -> None:
    with pytest.raises(UsageError, match="auto, cpu, cuda"):
        device.choose(name)


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a card")
def test_a_card_that_is_not_here_is_said_with_what_to_do() -> None:
    with pytest.raises(UsageError, match="--device cpu"):
        device.choose("cuda")


@pytest.mark.skipif(torch.version.cuda is not None, reason="this torch is no CPU build")
def test_a_card_beside_a_cpu_build_of_torch_is_told_with_the_command_that_changes_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert device.problem() == ""
    program = tmp_path / "nvidia-smi"
    program.write_text("#!/bin/sh\necho 570.86.10\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    told = device.problem()
    assert "An NVIDIA card is here (driver 570.86.10) but this torch" in told
    assert "is a CPU build" in told
    assert f"pip install --force-reinstall torch=={torch.__version__.split('+')[0]} --index-url" in told


def test_a_driver_program_that_fails_or_hangs_is_no_card(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "nvidia-smi"
    program.write_text("#!/bin/sh\nexit 9\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    assert device.nvidia_driver() == ""


def test_settings_hold_inside_and_are_as_before_outside() -> None:
    threads = torch.get_num_threads()
    with device.settled(torch.device("cuda"), threads + 1):
        assert torch.get_num_threads() == threads + 1
        assert torch.are_deterministic_algorithms_enabled()
    assert torch.get_num_threads() == threads
    assert not torch.are_deterministic_algorithms_enabled()


def test_the_precision_is_what_is_asked_for_and_auto_asks_the_processor(monkeypatch: pytest.MonkeyPatch) -> None:
    cpu = torch.device("cpu")
    assert [device.choose_precision(name, cpu) for name in ("float32", "bfloat16")] == ["float32", "bfloat16"]
    for found, chosen in (({}, "float32"), ({"avx512_bf16": False}, "float32"), ({"avx512_bf16": True}, "bfloat16")):
        monkeypatch.setattr(torch.cpu, "get_capabilities", lambda found=found: found)
        assert device.choose_precision("auto", cpu) == chosen
    assert device.choose_precision("auto", torch.device("mps")) == "float32"


def test_the_environment_of_a_run_says_what_its_bits_may_depend_on() -> None:
    found = device.environment()
    assert {"handlens", "python", "torch", "threads", "cpu_capability", "system"} <= found.keys()
    assert found["torch"] == torch.__version__


def test_the_commit_is_that_of_the_folder_and_none_where_there_is_none_yet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert device.commit() == ""
    subprocess.run(["git", "init", "--quiet"], check=True)
    assert device.commit() == ""
    by = ["-c", "user.name=nobody", "-c", "user.email=nobody@example.org"]
    subprocess.run(["git", *by, "commit", "--quiet", "--allow-empty", "--message", "first"], check=True)
    assert re.fullmatch("[0-9a-f]{40}", device.commit())


@pytest.mark.parametrize("before", [(False, False), (True, True), (True, False)])
def test_the_choice_of_algorithms_is_afterwards_as_it_was(before: tuple[bool, bool]) -> None:
    def asked() -> tuple[bool, bool]:
        return torch.are_deterministic_algorithms_enabled(), torch.is_deterministic_algorithms_warn_only_enabled()

    torch.use_deterministic_algorithms(before[0], warn_only=before[1])
    try:
        with device.settled(torch.device("cuda"), 1):  # no card is asked
            assert asked() == (True, True)
        assert asked() == before
    finally:
        torch.use_deterministic_algorithms(False)
