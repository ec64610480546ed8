"""Guile evaluates the rendered module and manifest against the record types of Guix that they use."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest
from tests.rendering.shipped import references, shipped

from lode import tree
from lode.rendering import agreement
from lode.rendering.guix import render

pytestmark = pytest.mark.integration

# Each form is a macro that admits the fields of Guix's record alone (guix/packages.scm, guix/search-paths.scm).
RECORD = """(define-module (lode-stubs) #:export (define-form))
(define-syntax-rule (define-form name (field ...))
  (define-syntax name
    (lambda (form)
      (syntax-case form ()
        ((_ (key value) (... ...))
         (begin
           (for-each (lambda (one) (unless (memq one '(field ...)) (error "no field of this record" 'name one)))
                     (syntax->datum #'(key (... ...))))
           #'(list 'name (cons 'key value) (... ...))))))))
"""
STUBS = {
    "lode-stubs": RECORD,
    "guix/packages": """(define-module (guix packages) #:use-module (lode-stubs) #:export (package origin))
(define-form package (name version source build-system arguments native-inputs inputs propagated-inputs
  native-search-paths supported-systems home-page synopsis description license))
(define-form origin (method uri file-name sha256))
""",
    "guix/search-paths": """(define-module (guix search-paths) #:use-module (lode-stubs)
  #:export (search-path-specification))
(define-form search-path-specification (variable files))
""",
    "guix/base16": """(define-module (guix base16) #:export (base16-string->bytevector))
(define (base16-string->bytevector text)
  (unless (= 64 (string-length text)) (error "not a sha256" text))
  text)
""",
    "guix/build-system/gnu": "(define-module (guix build-system gnu))\n(define-public gnu-build-system 'gnu)\n",
    "guix/download": "(define-module (guix download))\n(define-public url-fetch 'url-fetch)\n",
    "guix/gexp": """(define-module (guix gexp) #:export (local-file))
(define-syntax-rule (local-file name) (if (file-exists? (string-append "lode/" name)) name (error "no file" name)))
""",
    "guix/profiles": "(define-module (guix profiles))\n(define-public (packages->manifest packages) packages)\n",
    "gnu/packages": "(define-module (gnu packages))\n(define-public (specification->package name) name)\n",
}
DRIVER = """(use-modules (lode packages) (ice-9 match))
(define (field record name) (and=> (assq name (cdr record)) cdr))
(define (sum origin) (and (pair? origin) (field origin 'sha256)))
(define (line . words) (for-each (lambda (word) (write word) (display " ")) words) (newline))
(module-for-each
  (lambda (name variable)
    (let* ((made (variable-ref variable)) (own (field made 'name)))
      (line "item" own (field made 'version))
      (when (sum (field made 'source)) (line "sum" own (sum (field made 'source))))
      (for-each
        (match-lambda
          ((label (and ('package . _) other)) (line "need" own (field other 'name)))
          ((label (and ('origin . _) other)) (line "sum" own (sum other)))
          (_ #t))
        (append (or (field made 'native-inputs) '()) (or (field made 'propagated-inputs) '())))))
  (resolve-interface '(lode packages)))
(for-each (lambda (made) (line "asked" (field made 'name))) (primitive-load "manifest.scm"))
"""


@pytest.mark.parametrize("reference", references())
def test_guile_finds_in_the_modules_what_the_lock_says(reference: str, tmp_path: Path) -> None:
    guile = shutil.which("guile") or pytest.skip("there is no Guile: install the Debian package guile-3.0")
    lock, recipes, file = shipped(reference)
    tree.write(render(lock, recipes=recipes, file=file).tree, tmp_path / "out")
    for name, text in STUBS.items():
        path = tmp_path / f"stubs/{name}.scm"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (tmp_path / "driver.scm").write_text(DRIVER)
    for target in [one.definition.name for one in lock.targets]:
        ran = subprocess.run(
            [guile, "--no-auto-compile", "-L", str(tmp_path / "stubs"), "-L", ".", "-s", str(tmp_path / "driver.scm")],
            cwd=tmp_path / "out" / target, capture_output=True, text=True, timeout=300, check=False,
        )  # fmt: skip
        assert ran.returncode == 0, ran.stderr
        lines = [json.loads(f"[{','.join(line.split())}]") for line in ran.stdout.splitlines()]
        whole = agreement.of_lock(lock, targets=(target,))
        said = {
            kind: {tuple(line[1:]) for line in lines if line[0] == kind} for kind in ("item", "sum", "need", "asked")
        }
        assert said["item"] == {(one.package, one.version) for one in whole.items}
        assert said["sum"] == {(one.package, sha256) for one in whole.items for sha256 in one.sources}
        assert said["need"] == {(one.package, one.needs) for one in whole.needs}
        assert said["asked"] == {(text.split()[0],) for text in lock.requirements}
