;;; Rendered by lode (form 1) from the lock of x@2026.11.
;;; Lock: sha256:39cb7ba7b4ce4430aa1096a365594ba8aad7acf5944ca8abf4ab5f4b01771275
;;; Change the stack or the recipes and render again; what is written here is lost then.

(define-module (lode packages)
  #:use-module (gnu packages)
  #:use-module (guix base16)
  #:use-module (guix build-system gnu)
  #:use-module (guix download)
  #:use-module (guix gexp)
  #:use-module (guix packages)
  #:use-module (guix search-paths))

(define-public
  lode-mesons
  (package
    (name "mesons")
    (version "1.0")
    (source
      (origin
        (method url-fetch)
        (uri (list "https://mesons.example.org/mesons-1.0.tar.gz"))
        (file-name "721fb3dd2ab78701e2f5f776bc63de70c0219479fefe492945c8ded6b043f89e.tar.gz")
        (sha256
          (base16-string->bytevector
            "721fb3dd2ab78701e2f5f776bc63de70c0219479fefe492945c8ded6b043f89e"))))
    (build-system gnu-build-system)
    (arguments
      '(#:tests?
         #f
         #:phases
         (modify-phases
           %standard-phases
           (delete 'bootstrap)
           (delete 'configure)
           (delete 'build)
           (replace
             'unpack
             (lambda*
               (#:key inputs outputs #:allow-other-keys)
               (setenv "LODE_SOURCE_0" (assoc-ref inputs "source"))
               (invoke
                 "sh"
                 "-euc"
                 "mkdir -p source\nmkdir -p source\nmkdir .unpacked\ntar -xf \"$LODE_SOURCE_0\" -C .unpacked\nset -- .unpacked/*\nif [ $# -ne 1 ] || [ ! -d \"$1\" ]; then set -- .unpacked; fi\ncp -a \"$1\"/. source/\nrm -rf .unpacked\n")
               (chdir "source")))
           (replace
             'install
             (lambda*
               (#:key inputs outputs #:allow-other-keys)
               (setenv "PREFIX" (assoc-ref outputs "out"))
               (setenv "SRC_DIR" (getcwd))
               (setenv "JOBS" (number->string (parallel-job-count)))
               (invoke
                 "sh"
                 "-euc"
                 "export PYTHON=python3 CC=gcc CXX=g++\nexport CFLAGS=\"-O2 -march=x86-64-v2\"\nexport CXXFLAGS=\"$CFLAGS\" FFLAGS=\"$CFLAGS\" CPPFLAGS=\"${CPPFLAGS:-}\" LDFLAGS=\"-Wl,-rpath,$PREFIX/lib\"\nexport BUILD_DIR=\"$SRC_DIR/../lode-build\"\nmkdir -p \"$BUILD_DIR\"\ncd \"$SRC_DIR\"\nmeson setup \"$BUILD_DIR\" \"$PWD\" \"--prefix=${PREFIX}\" --libdir=lib --buildtype=release --wrap-mode=nofallback\nninja -C \"$BUILD_DIR\" -j \"$JOBS\"\nninja -C \"$BUILD_DIR\" -j \"$JOBS\" install\n"))))))
    (supported-systems '("x86_64-linux"))
    (home-page "https://mesons.example.org")
    (synopsis "mesons, for tests")
    (description "mesons, for tests.  License: MIT.")
    (license #f)))

(define-public
  lode-zlib
  (package
    (name "zlib")
    (version "1.3.1")
    (source
      (origin
        (method url-fetch)
        (uri (list "https://zlib.example.org/zlib-1.3.1.tar.gz"))
        (file-name "9d9408b551a33b2e2058f966782549cec997efdd3e8fc3e806ba5ee1dbab6d21.tar.gz")
        (sha256
          (base16-string->bytevector
            "9d9408b551a33b2e2058f966782549cec997efdd3e8fc3e806ba5ee1dbab6d21"))))
    (build-system gnu-build-system)
    (arguments
      '(#:tests?
         #f
         #:phases
         (modify-phases
           %standard-phases
           (delete 'bootstrap)
           (delete 'configure)
           (delete 'build)
           (replace
             'unpack
             (lambda*
               (#:key inputs outputs #:allow-other-keys)
               (setenv "LODE_SOURCE_0" (assoc-ref inputs "source"))
               (invoke
                 "sh"
                 "-euc"
                 "mkdir -p source\nmkdir -p source\nmkdir .unpacked\ntar -xf \"$LODE_SOURCE_0\" -C .unpacked\nset -- .unpacked/*\nif [ $# -ne 1 ] || [ ! -d \"$1\" ]; then set -- .unpacked; fi\ncp -a \"$1\"/. source/\nrm -rf .unpacked\n")
               (chdir "source")))
           (replace
             'install
             (lambda*
               (#:key inputs outputs #:allow-other-keys)
               (setenv "PREFIX" (assoc-ref outputs "out"))
               (setenv "SRC_DIR" (getcwd))
               (setenv "JOBS" (number->string 1))
               (invoke
                 "sh"
                 "-euc"
                 "export PYTHON=python3 CC=gcc CXX=g++\nexport CFLAGS=\"-O2 -march=x86-64-v2\"\nexport CXXFLAGS=\"$CFLAGS\" FFLAGS=\"$CFLAGS\" CPPFLAGS=\"${CPPFLAGS:-}\" LDFLAGS=\"-Wl,-rpath,$PREFIX/lib\"\nexport BUILD_DIR=\"$SRC_DIR/../lode-build\"\nmkdir -p \"$BUILD_DIR\"\ncd \"$SRC_DIR\"\nmake install\n"))))))
    (supported-systems '("x86_64-linux"))
    (home-page "https://zlib.example.org")
    (synopsis "zlib, for tests")
    (description "zlib, for tests.  License: MIT.")
    (license #f)))

(define-public
  lode-makes
  (package
    (name "makes")
    (version "1.0")
    (source
      (origin
        (method url-fetch)
        (uri (list "https://makes.example.org/makes-1.0.tar.gz"))
        (file-name "f23656a3479003edc726906aaec6d304f5c62a248a2393ecd4a7594bec049584.tar.gz")
        (sha256
          (base16-string->bytevector
            "f23656a3479003edc726906aaec6d304f5c62a248a2393ecd4a7594bec049584"))))
    (build-system gnu-build-system)
    (arguments
      '(#:tests?
         #f
         #:phases
         (modify-phases
           %standard-phases
           (delete 'bootstrap)
           (delete 'configure)
           (delete 'build)
           (replace
             'unpack
             (lambda*
               (#:key inputs outputs #:allow-other-keys)
               (setenv "LODE_SOURCE_0" (assoc-ref inputs "source"))
               (invoke
                 "sh"
                 "-euc"
                 "mkdir -p source\nmkdir -p source\nmkdir .unpacked\ntar -xf \"$LODE_SOURCE_0\" -C .unpacked\nset -- .unpacked/*\nif [ $# -ne 1 ] || [ ! -d \"$1\" ]; then set -- .unpacked; fi\ncp -a \"$1\"/. source/\nrm -rf .unpacked\n")
               (chdir "source")))
           (replace
             'install
             (lambda*
               (#:key inputs outputs #:allow-other-keys)
               (setenv "PREFIX" (assoc-ref outputs "out"))
               (setenv "SRC_DIR" (getcwd))
               (setenv "JOBS" (number->string (parallel-job-count)))
               (invoke
                 "sh"
                 "-euc"
                 "export PYTHON=python3 CC=gcc CXX=g++\nexport CFLAGS=\"-O2 -march=x86-64-v2\"\nexport CXXFLAGS=\"$CFLAGS\" FFLAGS=\"$CFLAGS\" CPPFLAGS=\"${CPPFLAGS:-}\" LDFLAGS=\"-Wl,-rpath,$PREFIX/lib\"\nexport BUILD_DIR=\"$SRC_DIR/../lode-build\"\nmkdir -p \"$BUILD_DIR\"\ncd \"$SRC_DIR\"\nmake -j\"$JOBS\"\nmake install\n"))))))
    (propagated-inputs `(("zlib" ,lode-zlib)))
    (supported-systems '("x86_64-linux"))
    (home-page "https://makes.example.org")
    (synopsis "makes, for tests")
    (description "makes, for tests.  License: MIT.")
    (license #f)))

(define-public
  lode-nest
  (package
    (name "nest")
    (version "2.4.1")
    (source
      (origin
        (method url-fetch)
        (uri (list "https://nest.example.org/nest-2.4.1.tar.gz"))
        (file-name "cdf5ea34fe0fc75884dd788f675f0b1117f0d397726faef25ffeb747962e3750.tar.gz")
        (sha256
          (base16-string->bytevector
            "cdf5ea34fe0fc75884dd788f675f0b1117f0d397726faef25ffeb747962e3750"))))
    (build-system gnu-build-system)
    (arguments
      '(#:tests?
         #f
         #:phases
         (modify-phases
           %standard-phases
           (delete 'bootstrap)
           (delete 'configure)
           (delete 'build)
           (replace
             'unpack
             (lambda*
               (#:key inputs outputs #:allow-other-keys)
               (setenv "LODE_SOURCE_0" (assoc-ref inputs "source"))
               (setenv "LODE_PATCH_0" (assoc-ref inputs "%patch-0"))
               (invoke
                 "sh"
                 "-euc"
                 "mkdir -p source\nmkdir -p source\nmkdir .unpacked\ntar -xf \"$LODE_SOURCE_0\" -C .unpacked\nset -- .unpacked/*\nif [ $# -ne 1 ] || [ ! -d \"$1\" ]; then set -- .unpacked; fi\ncp -a \"$1\"/lib/nest/. source/\nrm -rf .unpacked\npatch -d source -p1 -i \"$LODE_PATCH_0\"\n")
               (chdir "source")))
           (replace
             'install
             (lambda*
               (#:key inputs outputs #:allow-other-keys)
               (setenv "PREFIX" (assoc-ref outputs "out"))
               (setenv "SRC_DIR" (getcwd))
               (setenv "JOBS" (number->string (parallel-job-count)))
               (invoke
                 "sh"
                 "-euc"
                 "export PYTHON=python3 CC=gcc CXX=g++\nexport CFLAGS=\"-O2 -march=x86-64-v2\"\nexport CXXFLAGS=\"$CFLAGS\" FFLAGS=\"$CFLAGS\" CPPFLAGS=\"${CPPFLAGS:-}\" LDFLAGS=\"-Wl,-rpath,$PREFIX/lib\"\nexport BUILD_DIR=\"$SRC_DIR/../lode-build\"\nmkdir -p \"$BUILD_DIR\"\ncd \"$SRC_DIR\"/inner\ntouch x\ncmake -S \"$PWD\" -B \"$BUILD_DIR\" -DCMAKE_BUILD_TYPE=Release \"-DCMAKE_INSTALL_PREFIX=${PREFIX}\" -DCMAKE_INSTALL_LIBDIR=lib \"-DCMAKE_INSTALL_RPATH=${PREFIX}/lib\" \"-DCMAKE_BUILD_RPATH=${PREFIX}/lib\" -DCMAKE_FIND_USE_PACKAGE_REGISTRY=OFF -DCMAKE_FIND_USE_SYSTEM_PACKAGE_REGISTRY=OFF -DCMAKE_EXPORT_NO_PACKAGE_REGISTRY=ON -DFETCHCONTENT_FULLY_DISCONNECTED=ON -DNEST_GDML=ON\ncmake --build \"$BUILD_DIR\" --parallel \"$JOBS\"\ncmake --install \"$BUILD_DIR\"\ncd \"$SRC_DIR\"/inner\nrm -f x\n"))))))
    (native-inputs `(("%patch-0" ,(local-file "patches/nest/0-a.patch"))))
    (propagated-inputs `(("zlib" ,lode-zlib)))
    (native-search-paths
      (list (search-path-specification (variable "NEST_PATH") (files '("share")))))
    (supported-systems '("x86_64-linux"))
    (home-page "https://nest.example.org")
    (synopsis "nest, for tests")
    (description "nest, for tests.  License: MIT.")
    (license #f)))

(define-public
  lode-python
  (package
    (name "python")
    (version "3.13.5")
    (source
      (origin
        (method url-fetch)
        (uri (list "https://python.example.org/python-3.13.5.tar.gz"))
        (file-name "146455a8a172ee33b1aaa47df32cf51cb80132b5a16b784ee5378e1fdfc7f44a.tar.gz")
        (sha256
          (base16-string->bytevector
            "146455a8a172ee33b1aaa47df32cf51cb80132b5a16b784ee5378e1fdfc7f44a"))))
    (build-system gnu-build-system)
    (arguments
      '(#:tests?
         #f
         #:phases
         (modify-phases
           %standard-phases
           (delete 'bootstrap)
           (delete 'configure)
           (delete 'build)
           (replace
             'unpack
             (lambda*
               (#:key inputs outputs #:allow-other-keys)
               (setenv "LODE_SOURCE_0" (assoc-ref inputs "source"))
               (invoke
                 "sh"
                 "-euc"
                 "mkdir -p source\nmkdir -p source\nmkdir .unpacked\ntar -xf \"$LODE_SOURCE_0\" -C .unpacked\nset -- .unpacked/*\nif [ $# -ne 1 ] || [ ! -d \"$1\" ]; then set -- .unpacked; fi\ncp -a \"$1\"/. source/\nrm -rf .unpacked\n")
               (chdir "source")))
           (replace
             'install
             (lambda*
               (#:key inputs outputs #:allow-other-keys)
               (setenv "PREFIX" (assoc-ref outputs "out"))
               (setenv "SRC_DIR" (getcwd))
               (setenv "JOBS" (number->string (parallel-job-count)))
               (invoke
                 "sh"
                 "-euc"
                 "export PYTHON=python3 CC=gcc CXX=g++\nexport CFLAGS=\"-O2 -march=x86-64-v2\"\nexport CXXFLAGS=\"$CFLAGS\" FFLAGS=\"$CFLAGS\" CPPFLAGS=\"${CPPFLAGS:-}\" LDFLAGS=\"-Wl,-rpath,$PREFIX/lib\"\nexport BUILD_DIR=\"$SRC_DIR/../lode-build\"\nmkdir -p \"$BUILD_DIR\"\ncd \"$SRC_DIR\"\nconfigure=$PWD/configure\ncd \"$BUILD_DIR\"\n\"$configure\" \"--prefix=${PREFIX}\" \"--libdir=${PREFIX}/lib\"\nmake -j\"$JOBS\"\nmake install\n"))))))
    (native-inputs `(("%tool-make" ,(specification->package "gnu-make"))))
    (propagated-inputs `(("zlib" ,lode-zlib)))
    (native-search-paths
      (list
        (search-path-specification
          (variable "PYTHONPATH")
          (files '("lib/python3.13/site-packages")))))
    (supported-systems '("x86_64-linux"))
    (home-page "https://python.example.org")
    (synopsis "python, for tests")
    (description "python, for tests.  License: MIT.")
    (license #f)))

(define-public
  lode-module
  (package
    (name "module")
    (version "2.0")
    (source
      (origin
        (method url-fetch)
        (uri (list "https://module.example.org/module-2.0.tar.gz"))
        (file-name "e7d97b94ba2a6202d7199c977d491f7b9a9940c5d06605f0391cc83d431106a4.tar.gz")
        (sha256
          (base16-string->bytevector
            "e7d97b94ba2a6202d7199c977d491f7b9a9940c5d06605f0391cc83d431106a4"))))
    (build-system gnu-build-system)
    (arguments
      '(#:tests?
         #f
         #:phases
         (modify-phases
           %standard-phases
           (delete 'bootstrap)
           (delete 'configure)
           (delete 'build)
           (replace
             'unpack
             (lambda*
               (#:key inputs outputs #:allow-other-keys)
               (setenv "LODE_SOURCE_0" (assoc-ref inputs "source"))
               (invoke
                 "sh"
                 "-euc"
                 "mkdir -p source\nmkdir -p source\nmkdir .unpacked\ntar -xf \"$LODE_SOURCE_0\" -C .unpacked\nset -- .unpacked/*\nif [ $# -ne 1 ] || [ ! -d \"$1\" ]; then set -- .unpacked; fi\ncp -a \"$1\"/. source/\nrm -rf .unpacked\n")
               (chdir "source")))
           (replace
             'install
             (lambda*
               (#:key inputs outputs #:allow-other-keys)
               (setenv "PREFIX" (assoc-ref outputs "out"))
               (setenv "SRC_DIR" (getcwd))
               (setenv "JOBS" (number->string (parallel-job-count)))
               (invoke
                 "sh"
                 "-euc"
                 "export PYTHON=python3 CC=gcc CXX=g++\nexport CFLAGS=\"-O2 -march=x86-64-v2\"\nexport CXXFLAGS=\"$CFLAGS\" FFLAGS=\"$CFLAGS\" CPPFLAGS=\"${CPPFLAGS:-}\" LDFLAGS=\"-Wl,-rpath,$PREFIX/lib\"\nexport BUILD_DIR=\"$SRC_DIR/../lode-build\"\nmkdir -p \"$BUILD_DIR\"\ncd \"$SRC_DIR\"\npip() {\n  if \"$PYTHON\" -c 'import pip' 2>/dev/null; then\n    \"$PYTHON\" -m pip \"$@\"\n    return\n  fi\n  for wheel in \"$SRC_DIR\"/pip-*.whl \"$(\"$PYTHON\" -c 'import sys; print(sys.base_prefix)')\"/lib/python3*/ensurepip/_bundled/pip-*.whl; do\n    if [ -f \"$wheel\" ]; then\n      \"$PYTHON\" \"$wheel/pip\" \"$@\"\n      return\n    fi\n  done\n  echo \"error: no pip: add a build dependency on it\" >&2\n  return 1\n}\npip wheel --verbose --no-deps --no-index --no-cache-dir --disable-pip-version-check --no-build-isolation --wheel-dir \"$BUILD_DIR/dist\" .\npip install --no-deps --no-index --no-cache-dir --disable-pip-version-check --no-compile --no-warn-script-location --prefix \"$PREFIX\" \"$BUILD_DIR\"/dist/*.whl\n"))))))
    (propagated-inputs `(("nest" ,lode-nest) ("python" ,lode-python)))
    (supported-systems '("x86_64-linux"))
    (home-page "https://module.example.org")
    (synopsis "module, for tests")
    (description "module, for tests.  License: MIT.")
    (license #f)))

(define-public
  lode-wheel
  (package
    (name "wheel")
    (version "1.0")
    (source
      (origin
        (method url-fetch)
        (uri (list "https://wheel.example.org/wheel-1.0.tar.gz"))
        (file-name "5c0a2d19c6afce6bd8c9e054edc860aa283cc7c9bde15c96e7bd44cac598af73")
        (sha256
          (base16-string->bytevector
            "5c0a2d19c6afce6bd8c9e054edc860aa283cc7c9bde15c96e7bd44cac598af73"))))
    (build-system gnu-build-system)
    (arguments
      '(#:tests?
         #f
         #:phases
         (modify-phases
           %standard-phases
           (delete 'bootstrap)
           (delete 'configure)
           (delete 'build)
           (replace
             'unpack
             (lambda*
               (#:key inputs outputs #:allow-other-keys)
               (setenv "LODE_SOURCE_0" (assoc-ref inputs "source"))
               (setenv "LODE_SOURCE_1" (assoc-ref inputs "%source-1"))
               (invoke
                 "sh"
                 "-euc"
                 "mkdir -p source\nmkdir -p source\ncp \"$LODE_SOURCE_0\" source/wheel-1.0.tar.gz\nmkdir -p source/more\nmkdir .unpacked\ntar -xf \"$LODE_SOURCE_1\" -C .unpacked\nset -- .unpacked/*\nif [ $# -ne 1 ] || [ ! -d \"$1\" ]; then set -- .unpacked; fi\ncp -a \"$1\"/. source/more/\nrm -rf .unpacked\n")
               (chdir "source")))
           (replace
             'install
             (lambda*
               (#:key inputs outputs #:allow-other-keys)
               (setenv "PREFIX" (assoc-ref outputs "out"))
               (setenv "SRC_DIR" (getcwd))
               (setenv "JOBS" (number->string (parallel-job-count)))
               (invoke
                 "sh"
                 "-euc"
                 "export PYTHON=python3 CC=gcc CXX=g++\nexport CFLAGS=\"-O2 -march=x86-64-v2\"\nexport CXXFLAGS=\"$CFLAGS\" FFLAGS=\"$CFLAGS\" CPPFLAGS=\"${CPPFLAGS:-}\" LDFLAGS=\"-Wl,-rpath,$PREFIX/lib\"\nexport BUILD_DIR=\"$SRC_DIR/../lode-build\"\nmkdir -p \"$BUILD_DIR\"\ncd \"$SRC_DIR\"\npip() {\n  if \"$PYTHON\" -c 'import pip' 2>/dev/null; then\n    \"$PYTHON\" -m pip \"$@\"\n    return\n  fi\n  for wheel in \"$SRC_DIR\"/pip-*.whl \"$(\"$PYTHON\" -c 'import sys; print(sys.base_prefix)')\"/lib/python3*/ensurepip/_bundled/pip-*.whl; do\n    if [ -f \"$wheel\" ]; then\n      \"$PYTHON\" \"$wheel/pip\" \"$@\"\n      return\n    fi\n  done\n  echo \"error: no pip: add a build dependency on it\" >&2\n  return 1\n}\npip install --no-deps --no-index --no-cache-dir --disable-pip-version-check --no-compile --no-warn-script-location --prefix \"$PREFIX\" \"${SRC_DIR}/wheel-1.0.tar.gz\" \"${SRC_DIR}/wheel-1.0.tar.gz\"\n"))))))
    (native-inputs
      `(("%source-1"
           ,(origin
              (method url-fetch)
              (uri (list "https://wheel.example.org/wheel-1.0.tar.gz"))
              (file-name "5c0a2d19c6afce6bd8c9e054edc860aa283cc7c9bde15c96e7bd44cac598af73.tar.gz")
              (sha256
                (base16-string->bytevector
                  "5c0a2d19c6afce6bd8c9e054edc860aa283cc7c9bde15c96e7bd44cac598af73"))))))
    (propagated-inputs `(("python" ,lode-python)))
    (supported-systems '("x86_64-linux"))
    (home-page "https://wheel.example.org")
    (synopsis "wheel, for tests")
    (description "wheel, for tests.  License: MIT.")
    (license #f)))

(define-public
  lode-all-of-it
  (package
    (name "all-of-it")
    (version "1.0")
    (source #f)
    (build-system gnu-build-system)
    (arguments
      '(#:tests?
         #f
         #:phases
         (modify-phases
           %standard-phases
           (delete 'bootstrap)
           (delete 'configure)
           (delete 'build)
           (replace
             'unpack
             (lambda*
               (#:key inputs outputs #:allow-other-keys)
               (invoke "sh" "-euc" "mkdir -p source\n")
               (chdir "source")))
           (replace
             'install
             (lambda*
               (#:key inputs outputs #:allow-other-keys)
               (setenv "PREFIX" (assoc-ref outputs "out"))
               (setenv "SRC_DIR" (getcwd))
               (setenv "JOBS" (number->string (parallel-job-count)))
               (invoke "sh" "-euc" "mkdir -p \"$PREFIX\"\n"))))))
    (propagated-inputs
      `(("makes" ,lode-makes) ("mesons" ,lode-mesons) ("module" ,lode-module) ("wheel" ,lode-wheel)))
    (supported-systems '("x86_64-linux"))
    (home-page "https://all-of-it.example.org")
    (synopsis "all-of-it, for tests")
    (description "all-of-it, for tests.  License: MIT.")
    (license #f)))
