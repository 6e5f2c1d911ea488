# What each target does is in CONTRIBUTING.md. Needs Swift 6.3 and, as root, installs the rest.
SWIFT ?= swift
PREFIX ?= /usr
DESTDIR ?=
RUNTIME := $(shell $(SWIFT)c -print-target-info 2>/dev/null | sed -n 's/.*"runtimeResourcePath": "\(.*\)".*/\1/p')
TRIPLE := $(shell $(SWIFT)c -print-target-info 2>/dev/null | sed -n 's/.*"unversionedTriple": "\(.*\)".*/\1/p' | head -1)
export SWIFT_UNICODE_TABLES := $(RUNTIME)/embedded/$(TRIPLE)/libswiftUnicodeDataTables.a

# Main.swift's: the one place that says it.
VERSION = $$(build/postern --version | cut -d' ' -f2)
# Whose licences go with the program, as they are linked into it.
LINKED := nettle-dev libuv1-dev liblmdb-dev libc-ares-dev libinih-dev libc6-dev

EMBEDDED_BUILD = EMBEDDED=1 STATIC=1 $(SWIFT) build -c release --product postern --scratch-path .build-embedded
STANDARD_BUILD = STATIC=1 $(SWIFT) build -c release --product postern --scratch-path .build-standard

.PHONY: all embedded standard prerequisites test tests unit lab bench fuzz order demo install deb clean

# The longest step of a build keeps one processor busy: two builds go side by side.
all:
	@$(MAKE) --no-print-directory -j2 embedded standard

# Packages that the build needs; nothing happens where they are all there.
prerequisites:
	@packaging/prerequisites build

embedded: prerequisites
	@# The build does not know that the linker reads the list.
	@[ ! packaging/touched-functions.txt -nt .build-embedded/release/postern ] || \
	  rm -f .build-embedded/release/postern
	$(EMBEDDED_BUILD)
	@mkdir -p build && rm -f build/postern; cp .build-embedded/release/postern build/postern

standard: prerequisites
	$(STANDARD_BUILD)
	@mkdir -p build && cp .build-standard/release/postern build/postern-standard

tests: prerequisites
	$(SWIFT) build --build-tests

unit: tests
	$(SWIFT) test --skip-build

lab: embedded
	@packaging/prerequisites lab
	python3 Tests/Lab/run.py --binary build/postern

test:
	@$(MAKE) --no-print-directory -j2 embedded standard tests
	@$(MAKE) --no-print-directory unit lab

demo: embedded
	build/postern demo

bench: embedded
	@packaging/prerequisites lab
	python3 Tests/Lab/bench.py --binary build/postern

# Which functions lie side by side in what ships; takes valgrind, and two minutes after the build.
order: prerequisites
	@packaging/prerequisites order
	@packaging/prerequisites lab
	SYMBOLS=1 $(EMBEDDED_BUILD)
	python3 Tests/Lab/touched.py --binary .build-embedded/release/postern

# SECONDS_EACH: how long each parser and core is fuzzed; TARGETS: which, all of them without it.
SECONDS_EACH ?= 60
TARGETS ?=
fuzz: prerequisites
	Tests/Fuzz/run $(SECONDS_EACH) $(TARGETS)

install: embedded
	install -D -m 0755 build/postern $(DESTDIR)$(PREFIX)/bin/postern
	install -d $(DESTDIR)$(PREFIX)/lib/postern
	ln -sf ../../bin/postern $(DESTDIR)$(PREFIX)/lib/postern/ntlm_auth
	install -D -m 0644 packaging/postern.service $(DESTDIR)/usr/lib/systemd/system/postern.service
	install -D -m 0644 packaging/postern.sysusers $(DESTDIR)/usr/lib/sysusers.d/postern.conf
	install -D -m 0644 packaging/postern.tmpfiles $(DESTDIR)/usr/lib/tmpfiles.d/postern.conf
	install -d $(DESTDIR)$(PREFIX)/share/doc/postern/examples
	install -m 0644 packaging/examples/* $(DESTDIR)$(PREFIX)/share/doc/postern/examples
	install -m 0644 README.md $(DESTDIR)$(PREFIX)/share/doc/postern
	cat packaging/copyright LICENSE > $(DESTDIR)$(PREFIX)/share/doc/postern/copyright
	for name in $(LINKED); do [ ! -e /usr/share/doc/$$name/copyright ] || \
	  { printf '\n==== %s\n\n' $$name; cat /usr/share/doc/$$name/copyright; }; \
	  done >> $(DESTDIR)$(PREFIX)/share/doc/postern/copyright
	chmod 0644 $(DESTDIR)$(PREFIX)/share/doc/postern/copyright
	install -d $(DESTDIR)$(PREFIX)/share/man/man8
	sed -e "s/@VERSION@/$(VERSION)/" -e 's,/usr/share/doc/,$(PREFIX)/share/doc/,' \
	  packaging/postern.8 | gzip -9n > $(DESTDIR)$(PREFIX)/share/man/man8/postern.8.gz
	chmod 0644 $(DESTDIR)$(PREFIX)/share/man/man8/postern.8.gz
	@# The unit and the examples name what was installed.
	sed -i 's,/usr/\(bin\|lib/postern\|share/doc\)/,$(PREFIX)/\1/,' \
	  $(DESTDIR)/usr/lib/systemd/system/postern.service \
	  $(DESTDIR)$(PREFIX)/share/doc/postern/examples/*
	test -e $(DESTDIR)/etc/postern/postern.conf || \
	  install -D -m 0644 packaging/postern.conf $(DESTDIR)/etc/postern/postern.conf

# build/postern_VERSION_ARCHITECTURE.deb, of what `make install` installs.
DEB := build/deb
deb: embedded
	rm -rf $(DEB)
	$(MAKE) --no-print-directory -o embedded install DESTDIR=$(DEB)
	install -D -m 0755 -t $(DEB)/DEBIAN packaging/deb/postinst packaging/deb/prerm \
	  packaging/deb/postrm
	install -m 0644 packaging/deb/conffiles $(DEB)/DEBIAN
	sed -e "s/@VERSION@/$(VERSION)/" \
	  -e "s/@ARCHITECTURE@/$$(dpkg --print-architecture)/" packaging/deb/control > $(DEB)/DEBIAN/control
	dpkg-deb --root-owner-group --build $(DEB) build

clean:
	rm -rf build .build .build-embedded .build-standard .build-fuzz
