"""What a Sigstore bundle adds to a signature: certificate, log entry and time stamps, read strictly.

Form: sigstore/protobuf-specs, sigstore_bundle.proto (v0.3) and sigstore_rekor.proto, in protobuf's JSON. Verifiers pass
over some of its fields; here each must agree with the others, so that no byte of it can change unnoticed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from lode.signing import strict

Material = Mapping[str, Any]

WHAT = "a sigstore bundle"
_NUMBER = re.compile(r"0|[1-9][0-9]{0,18}")
_SIGNED = "\n\n"  # what parts a checkpoint's text from its signatures


def check(material: Material, logs: frozenset[str], file: str) -> None:
    """Raise VerificationError unless the parts of the material agree; `logs` are the ids of the logs to be trusted.

    It does not say that anything in it is good.
    """
    _known(material, ("certificate", "tlogEntries"), ("timestampVerificationData",), file)
    _known(material["certificate"], ("rawBytes",), (), file)
    entries = material["tlogEntries"]
    if not isinstance(entries, list) or len(entries) != 1:
        strict.refuse("the signature is in no transparency log, or in several", file)
    _entry(entries[0], logs, file)
    if "timestampVerificationData" in material:
        _known(material["timestampVerificationData"], ("rfc3161Timestamps",), (), file)
    if not stamps(material) and "inclusionPromise" not in entries[0]:
        strict.refuse("nothing proves when the signature was made: neither a log's promise nor a time stamp", file)
    for each in stamps(material):
        _known(each, ("signedTimestamp",), (), file)
        strict.unbase64(str(each["signedTimestamp"]), WHAT, file)


def stamps(material: Material) -> list[Any]:
    """Return the time stamps of authorities in the material."""
    found = material.get("timestampVerificationData") or {}
    listed = found.get("rfc3161Timestamps", []) if isinstance(found, dict) else []
    return listed if isinstance(listed, list) else [listed]


def variants(material: Material) -> Iterator[Material]:
    """Yield the material with each of its times alone, so that a time which is not good cannot hide behind another."""
    entry = material["tlogEntries"][0]
    bare = {key: value for key, value in material.items() if key != "timestampVerificationData"}
    if "inclusionPromise" in entry:
        yield bare
    silent = [{key: value for key, value in entry.items() if key not in ("inclusionPromise", "integratedTime")}]
    for each in stamps(material):
        yield {**bare, "tlogEntries": silent, "timestampVerificationData": {"rfc3161Timestamps": [each]}}


def tidied(material: Material) -> dict[str, Any]:
    """Return the material without what nobody can check: empty fields, and a checkpoint's signatures by witnesses."""
    kept = {key: value for key, value in material.items() if value}
    if not stamps(material):
        kept.pop("timestampVerificationData", None)
    entry = {key: value for key, value in material["tlogEntries"][0].items() if value not in (None, "", {})}
    if entry.get("integratedTime") in (0, "0"):  # as Rekor 2 writes that it says nothing of the time
        del entry["integratedTime"]
    proof = {"hashes": [], **{key: value for key, value in entry["inclusionProof"].items() if value is not None}}
    text, _, signatures = proof["checkpoint"]["envelope"].partition(_SIGNED)
    own = [line for line in signatures.splitlines() if line.split(" ")[1:2] == [origin(text)]]
    if own:
        proof["checkpoint"] = {"envelope": f"{text}{_SIGNED}{own[0]}\n"}
    return {**kept, "tlogEntries": [{**entry, "inclusionProof": proof}]}


def origin(checkpoint: str) -> str:
    """Return the name of the log that a checkpoint is of, without the tree's number of Rekor's first generation."""
    return checkpoint.split("\n", 1)[0].split(" ", 1)[0]


def _entry(entry: Any, logs: frozenset[str], file: str) -> None:
    more = ("logIndex", "integratedTime", "inclusionPromise")  # protobuf leaves a number out that is 0
    _known(entry, ("logId", "kindVersion", "inclusionProof", "canonicalizedBody"), more, file)
    _known(entry["logId"], ("keyId",), (), file)
    _known(entry["kindVersion"], ("kind", "version"), (), file)
    strict.unbase64(str(entry["canonicalizedBody"]), WHAT, file)
    if entry["logId"]["keyId"] not in logs:
        strict.refuse("the signature is in a log that the trusted root does not know", file)
    numbers = [entry.get(key, "0") for key in ("logIndex", "integratedTime")]
    if ("inclusionPromise" in entry) != (numbers[1] != "0"):
        strict.refuse(f"not {WHAT}: its log promises no time, or a time without promise", file)
    if "inclusionPromise" in entry:
        _known(entry["inclusionPromise"], ("signedEntryTimestamp",), (), file)
        strict.unbase64(str(entry["inclusionPromise"]["signedEntryTimestamp"]), WHAT, file)
    proof = entry["inclusionProof"]
    _known(proof, ("rootHash", "treeSize", "checkpoint"), ("logIndex", "hashes"), file)
    _known(proof["checkpoint"], ("envelope",), (), file)
    for text in (*numbers, proof.get("logIndex", "0"), proof["treeSize"]):
        if not isinstance(text, str) or not _NUMBER.fullmatch(text):
            strict.refuse(f"not {WHAT}: {text!r} is no number", file)
    if "inclusionPromise" not in entry and numbers[0] != proof.get("logIndex", "0"):
        strict.refuse("the log entry has another place in the log than its proof", file)
    for text in (proof["rootHash"], *proof.get("hashes", [])):
        strict.unbase64(str(text), WHAT, file)
    _checkpoint(str(proof["checkpoint"]["envelope"]), proof["treeSize"], file)


def _checkpoint(envelope: str, size: str, file: str) -> None:
    """Raise VerificationError unless the checkpoint is of a log of this size, in its one form."""
    text, _, signatures = envelope.partition(_SIGNED)
    lines = text.split("\n")
    if lines[1:2] != [size]:
        strict.refuse("the log's checkpoint is of another size than the proof", file)
    for line in signatures.removesuffix("\n").split("\n"):
        words = line.split(" ")
        if len(words) != 3 or words[0] != "\N{EM DASH}":
            strict.refuse(f"not {WHAT}: its checkpoint has a line that is no signature", file)
        strict.unbase64(words[2], WHAT, file)
    if not any(line.startswith(f"\N{EM DASH} {origin(text)} ") for line in signatures.split("\n")):
        strict.refuse("the log's checkpoint is not signed by the log", file)


def _known(found: Any, needed: tuple[str, ...], more: tuple[str, ...], file: str) -> None:
    if not isinstance(found, dict):
        strict.refuse(f"not {WHAT}: a part of it is no JSON object", file)
    for key in found:
        if key not in (*needed, *more):
            strict.refuse(f"not {WHAT}: it has an unknown key {key!r}", file)
    for key in needed:
        if key not in found:
            what = {
                "tlogEntries": "the signature is in no transparency log",
                "inclusionProof": "its log proves nothing",
            }
            strict.refuse(what.get(key, f"not {WHAT}: it lacks {key!r}"), file)
