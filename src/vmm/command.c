// SPDX-License-Identifier: BSD-2-Clause
// Commands: pause, resume, reset, power button, NMI, stop.
#include <vmm/command.h>

#include <vmm/host/log.h>

static bool do_pause(struct machine *machine) {
	if (machine->life.state != GUEST_RUNNING) return false;
	machine->paused = host_tsc();
	life_set(&machine->life, GUEST_PAUSED);
	return true;
}

// The guest's counter goes on where it was, and all of its timers with it.
static bool do_resume(struct machine *machine) {
	if (machine->life.state != GUEST_PAUSED) return false;
	machine_stand_still(machine, host_tsc() - machine->paused);
	life_set(&machine->life, GUEST_RUNNING);
	return true;
}

static bool do_reset(struct machine *machine) {
	if (!machine->complete) return false;
	machine_halt(machine);
	life_reset(&machine->life);
	return true;
}

static bool do_stop(struct machine *machine) {
	if (machine->life.state != GUEST_RESTARTING && !machine_is_alive(machine)) return false;
	machine_halt(machine);
	life_stop(&machine->life, GUEST_BY_COMMAND);
	return true;
}

static bool do_power_button(struct machine *machine) {
	if (!machine_is_alive(machine)) return false;
	power_press(&machine->power);
	return true;
}

static bool do_nmi(struct machine *machine) {
	if (!machine_is_alive(machine)) return false;
	machine->processors[0].lapic.nmi_pending = true;
	return true;
}

static const struct {
	bool (*run)(struct machine *machine);
	const char *done, *refused; // for the log
} rows[] = {
	[GUEST_PAUSE] = {do_pause, "guest paused", "only a running guest can be paused"},
	[GUEST_RESUME] = {do_resume, "guest resumed", "only a paused guest can be resumed"},
	[GUEST_RESET] = {do_reset, "guest reset", "a guest that was never complete cannot start"},
	[GUEST_POWER_BUTTON] = {do_power_button, "power button pressed",
		"a guest that has stopped has no power button"},
	[GUEST_NMI] = {do_nmi, "NMI injected", "a guest that has stopped takes no NMI"},
	[GUEST_STOP] = {do_stop, "guest stopped", "the guest has stopped already"},
};

enum guest_result command_do(struct machine *machine, uint32_t command, const char *by) {
	bool done;

	if (command >= sizeof(rows) / sizeof(rows[0]) || !rows[command].run)
		return GUEST_NO_COMMAND;
	done = rows[command].run(machine);
	// Who reads the line finds the state as it says.
	machine_tell(machine);
	if (done)
		log_line("%s by %s", rows[command].done, by);
	else
		log_guest("%s", rows[command].refused);
	return done ? GUEST_DONE : GUEST_REFUSED;
}

void command_take_all(struct machine *machine) {
	uint32_t command;

	for (unsigned i = 0; i < MACHINE_CONTROLLERS; i++) {
		struct controller *controller = &machine->controllers[i];

		if (controller_take(controller, &command))
			controller_answer(
				controller, command_do(machine, command, controller->name));
	}
}
