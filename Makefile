# SPDX-License-Identifier: GPL-2.0-only
# `make help` lists the targets. Everything made goes to build/.

VERSION := 0.1.0

CC      ?= gcc
CLANG   ?= clang
BPFTOOL ?= bpftool
PREFIX  ?= /usr
ARCH    := $(shell uname -m)
B       := build

# sudo and cron leave out the folders bpftool and iproute2 live in
export PATH := $(PATH):/usr/sbin:/sbin

CFLAGS  ?= -O2 -g
SW_CFLAGS := -std=gnu11 -D_GNU_SOURCE -DSW_VERSION='"$(VERSION)"' -Wall -Wextra -Wshadow -Wmissing-prototypes \
	-Wno-missing-field-initializers -Werror -fPIE -fstack-protector-strong -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2 \
	-ffile-prefix-map=$(CURDIR)=. -Iinclude $(addprefix -Iuser/,base cli policy report client ledger kern tenancy daemon cmd exporter) -I$(B) $(CFLAGS)
SW_LDFLAGS := -pie -Wl,-z,relro,-z,now $(LDFLAGS)
LIBS := -lbpf -lelf -lz -lsqlite3 -lyaml
BPF_CFLAGS := -g -O2 -mcpu=v3 -target bpf -Wall -Wextra -Wno-missing-field-initializers -Werror \
	-ffile-prefix-map=$(CURDIR)=. -Iinclude -Ibpf

objects = $(patsubst %.c,$(B)/%.o,$(wildcard $(addsuffix /*.c,$(1))))
PURE := $(addprefix user/,base policy report)
CLI := $(call objects,user/cli)
CLIENT := $(call objects,user/client)
LEDGER := $(call objects,user/ledger)
KERN := $(call objects,user/kern)
TENANCY := $(call objects,user/tenancy)
DAEMON := $(call objects,user/daemon)
CMDS := $(call objects,user/cmd)
EXPORTER := $(call objects,user/exporter)
MANUAL := $(call objects,user/manual)
FETCH := $(call objects,user/fetch)
BUILT := $(addprefix $(B)/,sockwarden sockwarden-exporter sockwarden-fetch)
WATCH := bpf/watch.bpf.c
BPF  := $(filter-out $(WATCH),$(wildcard bpf/*.bpf.c))

# `make V=1` shows the commands
ifndef V
.SILENT:
endif
say = @printf '  %-8s %s\n' '$(1)' '$@'

.PHONY: all run check bench soak install uninstall format lint clean help
.DELETE_ON_ERROR:

##@ all: build the programs (installs missing packages when run as root)
all: $(BUILT) pages

##@ run: hold a PHP program to the policy in a lab of network namespaces; with CMD='...', hold CMD to it here
run: $(if $(CMD),,deps-run) $(B)/sockwarden
ifdef CMD
	SOCKWARDEN_PATH=share $(B)/sockwarden run -- sh -c $(call quote,$(CMD))
else
	SOCKWARDEN_PATH=share tests/box/lab/lab tests/box/lab/table $(B)/sockwarden
endif

quote = '$(subst ','\'',$(1))'

# ---- packages -------------------------------------------------------------------------------------

deps-build deps-run deps-pure deps-check deps-lint deps-kernels deps-bench deps-newcomer deps-package: deps-%:
	@scripts/deps $*

$(B)/.deps: scripts/deps scripts/packages
	@scripts/deps build
	@mkdir -p $(@D) && touch $@

# ---- the BPF side, for this machine and for the others we serve ------------------------------------

ARCHES := x86_64 aarch64
TARGET_x86_64  := x86
TARGET_aarch64 := arm64

define BPF_RULES
$(B)/bpf/$(1)/%.bpf.o: bpf/%.bpf.c | $(B)/.deps
	@mkdir -p $$(@D)
	$$(call say,BPF)
	$(CLANG) $(BPF_CFLAGS) -D__TARGET_ARCH_$(TARGET_$(1)) -Ivmlinux/$(1) -MMD -MP -c $$< -o $$@
$(B)/bpf/$(1)/sockwarden.o: $(patsubst bpf/%.c,$(B)/bpf/$(1)/%.o,$(BPF))
$(B)/bpf/$(1)/watch.o: $(B)/bpf/$(1)/watch.bpf.o
$(B)/bpf/$(1)/sockwarden.o $(B)/bpf/$(1)/watch.o:
	$$(call say,LINK)
	$(BPFTOOL) gen object $$@ $$^
endef
$(foreach arch,$(ARCHES),$(eval $(call BPF_RULES,$(arch))))

$(B)/%.skel.h: $(B)/bpf/$(ARCH)/%.o
	$(call say,GEN)
	$(BPFTOOL) gen skeleton $< name $* > $@

# ---- user space -----------------------------------------------------------------------------------

$(B)/user/%.o: user/%.c Makefile | $(B)/.deps
	@mkdir -p $(@D)
	$(call say,CC)
	$(CC) $(SW_CFLAGS) -MMD -MP -c $< -o $@

# What a file names by .incbin, the compiler does not see
BUILTIN := share/policies/appengine.yaml share/sets/google share/sets/google-cloud share/sets/doh
$(B)/user/policy/builtin.o $(B)/fuzz/user/policy/builtin.o: $(BUILTIN)

# What must be the same at both ends of the daemon's socket: the structs of a snapshot, and how it is written
$(B)/snapshot-layout.h: user/report/snapshot.c Makefile | $(B)/.deps
	@mkdir -p $(@D)
	$(call say,GEN)
	$(CC) $(SW_CFLAGS) -E -P -MD -MP -MT $@ -MF $(@:h=d) -x c user/report/snapshot.h -o $(@:h=i)
	echo "#define SNAPSHOT_LAYOUT \"$$(cat $(@:h=i) $< | sha256sum | cut -d' ' -f1)\"" > $@
$(B)/user/report/snapshot.o $(B)/fuzz/user/report/snapshot.o: $(B)/snapshot-layout.h

# Which build this is, and how its maps are laid out
$(B)/identity: bpf/identity.c user/base/sha256.c include/abi.h | $(B)/.deps
	@mkdir -p $(@D)
	$(call say,CC)
	$(CC) $(SW_CFLAGS) $(SW_LDFLAGS) $(filter %.c,$^) -lbpf -lelf -lz -o $@
$(B)/bpf/unsaid.o: bpf/unsaid.c include/abi.h | $(B)/.deps
	@mkdir -p $(@D)
	$(call say,BPF)
	$(CLANG) $(BPF_CFLAGS) -Ivmlinux/$(ARCH) -c $< -o $@
$(B)/identity.h: $(B)/identity $(B)/bpf/unsaid.o $(B)/bpf/$(ARCH)/sockwarden.o $(B)/bpf/$(ARCH)/watch.o
	$(call say,GEN)
	$^ > $@

$(B)/user/kern/loader.o $(B)/user/kern/carry.o: $(B)/sockwarden.skel.h
$(B)/user/kern/layout.o: $(B)/identity.h
$(B)/user/kern/watch.o: $(B)/watch.skel.h

$(B)/pure.a: $(call objects,$(PURE))
	$(call say,AR)
	rm -f $@
	ar rcsD $@ $^

$(B)/sockwarden: $(CMDS) $(DAEMON) $(TENANCY) $(KERN) $(LEDGER) $(CLIENT) $(CLI) $(B)/pure.a
	$(call say,LINK)
	$(CC) $(SW_CFLAGS) $(SW_LDFLAGS) $^ $(LIBS) -lseccomp -o $@

# Prints manual pages and words for completion from the same tables as the programs do
$(B)/manual: $(MANUAL) $(filter-out %/main.o,$(CMDS)) $(addprefix $(B)/user/exporter/,arguments.o scrape.o) $(DAEMON) $(TENANCY) $(KERN) $(LEDGER) \
	$(CLIENT) $(CLI) $(B)/pure.a
	$(call say,LINK)
	$(CC) $(SW_CFLAGS) $(SW_LDFLAGS) $^ $(LIBS) -lseccomp -o $@

# A process of its own, which needs neither libbpf nor any right
$(B)/sockwarden-exporter: $(EXPORTER) $(CLIENT) $(CLI) $(B)/pure.a
	$(call say,LINK)
	$(CC) $(SW_CFLAGS) $(SW_LDFLAGS) $^ -lmicrohttpd -o $@

# Likewise: it speaks TLS with the world, and gives up what rights it has first
$(B)/sockwarden-fetch: $(FETCH) $(CLI) $(B)/pure.a
	$(call say,LINK)
	$(CC) $(SW_CFLAGS) $(SW_LDFLAGS) $^ -lcurl -o $@

# ---- manual pages and completion ---------------------------------------------------------------------------------

# A page for each first word of a command, and those that have a text of their own
FIRST_WORDS := $(shell sed -n 's/^\t{ "\([a-z]*\).*/\1/p' user/cmd/commands.c | sort -u)
PAGES := $(sort $(FIRST_WORDS:%=sockwarden-%.1) $(patsubst docs/man/%.scd,%,$(wildcard docs/man/*.scd)))
$(foreach page,$(PAGES),$(eval $(B)/man/$(page): $(wildcard docs/man/$(page).scd)))
$(B)/man/sockwarden-policy.5: $(B)/man/policy.scd

PAGES := $(PAGES:%=$(B)/man/%)
$(PAGES): $(B)/man/%: $(B)/manual
	@mkdir -p $(@D)
	$(call say,PAGE)
	$(B)/manual page $* $(filter %.scd,$^) > $@.scd
	scdoc < $@.scd > $@
$(B)/man/%.scd: docs/%.md scripts/markdown-to-scdoc
	@mkdir -p $(@D)
	$(call say,GEN)
	scripts/markdown-to-scdoc $< > $@

COMPLETIONS := $(addprefix $(B)/completions/,sockwarden.bash _sockwarden sockwarden.fish)
$(COMPLETIONS): $(B)/completions/%: share/completions/% $(B)/manual
	@mkdir -p $(@D)
	$(call say,GEN)
	$(B)/manual words | sed "$(if $(filter %.fish,$@),s/[\\\\']/\\\\&/g)" > $@.words
	sed -e '/^[[:blank:]]*@WORDS@$$/{r $@.words' -e 'd;}' $< > $@

.PHONY: pages
##@ pages: make the manual pages, and what completes commands in bash, zsh and fish
pages: $(PAGES) $(COMPLETIONS)

-include $(shell find $(B) -path $(B)/upgrade -prune -o -name '*.d' -print 2>/dev/null)

include tests/tests.mk

# ---- installing -----------------------------------------------------------------------------------

# What is installed: FILE:FOLDER, the folder below PREFIX. `install` and `uninstall` know of nothing else.
PROGRAMS := $(B)/sockwarden:bin $(addsuffix :libexec/sockwarden,$(filter-out %/sockwarden,$(BUILT)))
CATALOG := share/systemd/sockwarden.catalog
UNITS := $(filter-out $(CATALOG),$(wildcard share/systemd/*))
SYSUSERS := share/sysusers/sockwarden.conf
MAN := $(foreach section,1 5 7,$(addsuffix :share/man/man$(section),$(filter %.$(section),$(PAGES))))
DATA := $(UNITS:=:lib/systemd/system) $(CATALOG):lib/systemd/catalog $(SYSUSERS):lib/sysusers.d \
	$(addsuffix :share/sockwarden/policies,$(wildcard share/policies/*.yaml)) \
	$(addsuffix :share/sockwarden/sets,$(wildcard share/sets/*)) \
	share/schema/policy.json:share/sockwarden/schema \
	share/grafana/sockwarden.json:share/sockwarden/grafana \
	share/prometheus/sockwarden.rules.yml:share/sockwarden/prometheus \
	share/nginx/sockwarden-exporter.conf:share/sockwarden/nginx \
	$(MAN) $(join $(COMPLETIONS),:share/bash-completion/completions :share/zsh/site-functions :share/fish/vendor_completions.d)

# Folders that go with the last file in them; the others are everybody's
OWN_FOLDERS := libexec/sockwarden libexec share/sockwarden/policies share/sockwarden/sets share/sockwarden/schema \
	share/sockwarden/grafana share/sockwarden/prometheus share/sockwarden/nginx share/sockwarden lib/systemd/system \
	lib/systemd/catalog lib/systemd lib/sysusers.d share/man/man1 share/man/man5 share/man/man7 \
	share/bash-completion/completions share/bash-completion share/fish/vendor_completions.d share/fish

ROOT = $(DESTDIR)$(PREFIX)
copy = for each in $(2); do install -D -m $(1) -t "$(ROOT)/$${each\#*:}" "$${each%:*}" || exit; done
placed = $(foreach each,$(1),$(lastword $(subst :, ,$(each)))/$(notdir $(firstword $(subst :, ,$(each)))))
# on_host COMMAND: when this host's own system is meant, and not a folder that is to become a package
on_host = if [ -z "$(DESTDIR)" ] && [ "$$(id -u)" = 0 ]; then $(1); fi
if_systemd = if [ -d /run/systemd/system ]; then $(1); fi

##@ install: copy programs, policies, sets and units below DESTDIR and PREFIX (default /usr)
install: all
	$(call copy,0755,$(PROGRAMS))
	$(call copy,0644,$(DATA))
	sed -i 's,/usr/bin/sockwarden,$(PREFIX)/bin/sockwarden,' $(foreach unit,$(UNITS),"$(ROOT)/lib/systemd/system/$(notdir $(unit))")
	$(call on_host,if command -v systemd-sysusers >/dev/null; then systemd-sysusers "$(ROOT)/$(call placed,$(SYSUSERS):lib/sysusers.d)"; fi)
	$(call on_host,$(call if_systemd,systemctl daemon-reload; journalctl --update-catalog))
	@echo 'Installed below $(ROOT). Nothing was started or restarted.'

##@ uninstall: stop the units, and remove what `install` put below DESTDIR and PREFIX
uninstall:
	$(call on_host,$(call if_systemd,systemctl --quiet disable --now $(notdir $(UNITS)) || :))
	cd "$(ROOT)" && rm -f $(call placed,$(PROGRAMS) $(DATA))
	cd "$(ROOT)" && rmdir --ignore-fail-on-non-empty $(OWN_FOLDERS) 2>/dev/null || :
	$(call on_host,$(call if_systemd,systemctl daemon-reload; journalctl --update-catalog))
	@echo 'Removed what was installed below $(ROOT). Left: ledgers in /var/lib/sockwarden, your own policies in'
	@echo '/etc/sockwarden, the group sockwarden. Tenants stay under their policy until they are detached or the host boots.'

##@ format: lay out the sources with clang-format
format: deps-lint
	clang-format -i $(wildcard include/*.h bpf/*.[ch] user/*.c user/*/*.[ch] tests/*/*.[ch] tests/*/*/*.[ch] tests/*/*/*/*.[ch])

##@ lint: clang-tidy, cppcheck and shellcheck
lint: deps-lint $(B)/sockwarden.skel.h $(B)/watch.skel.h $(B)/identity.h $(B)/snapshot-layout.h
	scripts/lint

##@ clean: remove what was built
clean:
	rm -rf $(B)

help:
	@sed -n 's/^##@ \([a-z-]*\): /\1\t/p' $(MAKEFILE_LIST) | expand -t 12
