# SPDX-License-Identifier: GPL-2.0-only
# Closing sockets. With SOCKWARDEN_WITHOUT=sock-destroy (or watches, namespace-handles): as on a kernel without that.
IDLE := $(addprefix tests/idle/,timeline final transfers causes states namespaces reap runtimes)

CHECKS += $(IDLE)
$(IDLE): $(B)/sockwarden $(B)/tests/faults.so
