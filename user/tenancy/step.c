// SPDX-License-Identifier: GPL-2.0-only
/* Steps of a plan in words. */
#include "amount.h"
#include "plan.h"

const char *step_word(const struct step *step)
{
	static const char *const words[] = {
		[CHANGE_FORGET] = "forget", [CHANGE_ATTACH] = "attach", [CHANGE_REPLACE] = "replace",
		[CHANGE_DETACH] = "detach", [CHANGE_AWAIT] = "await",   [CHANGE_WATCH] = "watch",
	};

	return words[step->change];
}

bool step_is_many(const struct step *step)
{
	return *step->name == WANTED_MANY;
}

static char *line_of_policy(const struct step *step, const char *format)
{
	const struct sw_settings *settings = &step->image->settings;

	return mem_printf(format, step->name, step->path, settings->policy, settings->rules, plural(settings->rules));
}

char *step_line(const struct step *step, bool done)
{
	switch (step->change) {
	case CHANGE_ATTACH:
		return line_of_policy(step, done ? "attached %s (%s) to policy %s, %u rule%s"
						 : "would attach %s (%s) to policy %s, %u rule%s");
	case CHANGE_REPLACE:
		if (step->same)
			return mem_printf("%s %s (%s) as it is: %s has it now", done ? "took over" : "would take over",
					  step->name, step->path, step->file);
		return line_of_policy(step, done ? "replaced the policy of %s (%s): it is %s now, %u rule%s"
						 : "would replace the policy of %s (%s) by %s, %u rule%s");
	case CHANGE_AWAIT:
		return line_of_policy(step,
				      done ? "awaiting %s (%s): when it is made it is attached to policy %s, %u rule%s"
					   : "would await %s (%s), to attach it to policy %s, %u rule%s");
	case CHANGE_WATCH:
		return mem_printf("%s %s: each directory that matches is attached to policy %s",
				  done ? "watching" : "would watch", step->path, step->image->settings.policy);
	case CHANGE_DETACH:
		return mem_printf("%s %s (%s)", done ? "detached" : "would detach", step->name, step->path);
	case CHANGE_FORGET:
		break;
	}
	if (step_is_many(step))
		return mem_printf("%s %s", done ? "watching no more" : "would no more watch", step->path);
	return mem_printf("%s %s (%s)", done ? "awaiting no more" : "would no more await", step->name, step->path);
}
