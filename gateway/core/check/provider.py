"""Judges a whole provider: its source, its recordings, and the faults that all providers share."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from gateway.core.check.faults import FAMILIES, Subject
from gateway.core.check.replay import replay
from gateway.core.check.source import source_findings
from providers import provider_in
from providers.contract import Provider
from providers.recording import BadRecording, Case, Recording, folder_of, read_recording, recording_files
from schema.provenance import DataMode


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What a check of one provider came to; no findings means that it may be merged."""

    provider: str
    cases: int
    findings: tuple[str, ...]


def module_file(cls: type[Provider]) -> Path:
    """The file that defines a provider."""
    return Path(str(sys.modules[cls.__module__].__file__))


def recordings_of(cls: type[Provider]) -> tuple[Recording, ...]:
    """All recordings of a provider; BadRecording names the first that cannot be used."""
    folder = folder_of(module_file(cls), cls.profile.id)
    return tuple(read_recording(file) for file in recording_files(folder)) if folder else ()


def cases_of(cls: type[Provider]) -> Iterator[tuple[Recording, Case]]:
    """Every recorded case of a capability that the provider declares."""
    for recording in recordings_of(cls):
        if recording.capability in cls.offers:
            yield from ((recording, case) for case in recording.cases)


def subjects_of(cls: type[Provider]) -> Iterator[Subject]:
    """For each capability, the first answered case: the one that the faults break."""
    for recording in recordings_of(cls):
        if recording.capability in cls.offers and recording.answered:
            yield Subject(cls=cls, offer=cls.offers[recording.capability], case=recording.answered[0])


def coverage_findings(cls: type[Provider]) -> list[str]:
    """Capabilities without an answered case, and recordings of something that is not declared."""
    answered = {recording.capability for recording in recordings_of(cls) if recording.answered}
    recorded = {recording.capability for recording in recordings_of(cls)}
    # A simulated exchange makes no exchange that could be recorded.
    missing = set() if cls.profile.mode is DataMode.SIMULATED else set(cls.offers) - answered
    return [
        *(f"{name}: declared, but no recording has an answered case" for name in sorted(missing)),
        *(f"{name}: recorded, but not declared" for name in sorted(recorded - set(cls.offers))),
    ]


def own_source_findings(cls: type[Provider]) -> list[str]:
    """What the provider's module, and the shared dialects beside it, may not do."""
    file = module_file(cls)
    simulated = cls.profile.mode is DataMode.SIMULATED
    found = []
    for source in (file, *sorted(file.parent.glob("_[!_]*.py"))):
        text = source.read_text(encoding="utf-8")
        found += [f"{source.name} {finding}" for finding in source_findings(text, simulated=simulated)]
    return found


async def check_provider(cls: type[Provider]) -> Verdict:
    """Everything that the contract suite asks of a provider."""
    findings = own_source_findings(cls)
    try:
        findings += coverage_findings(cls)
        cases = list(cases_of(cls))
    except BadRecording as error:
        return Verdict(provider=cls.profile.id, cases=0, findings=(*findings, str(error)))
    for recording, case in cases:
        offer = cls.offers[recording.capability]
        findings += [f"{recording.capability}, {case.name!r}: {wrong}" for wrong in await replay(cls, offer, case)]
    if not findings:
        for subject in subjects_of(cls):
            for family in FAMILIES.values():
                findings += [f"{subject.offer.capability.name}, {wrong}" for wrong in await family(subject)]
    return Verdict(provider=cls.profile.id, cases=len(cases), findings=tuple(findings))


def providers_at(path: Path) -> Sequence[type[Provider]]:
    """The providers in a module file, or in every public module of a folder; RuntimeError says why one is none."""
    files = [path] if path.is_file() else sorted(path.glob("[!_]*.py"))
    if not files:
        raise RuntimeError(f"{path} holds no adapter module")
    return [_loaded(file) for file in files]


def _loaded(file: Path) -> type[Provider]:
    name = f"checked_providers.{file.stem}"
    spec = importlib.util.spec_from_file_location(name, file)
    if spec is None or spec.loader is None:
        raise RuntimeError(f"{file} is not a Python module")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
        return provider_in(name)
    except Exception as error:
        del sys.modules[name]
        raise RuntimeError(f"{file.name} does not load: {type(error).__name__}: {error}") from error
