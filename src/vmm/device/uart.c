// SPDX-License-Identifier: BSD-2-Clause
// 16550A serial port (register names and behaviour: National PC16550D data sheet, section 8).
#include <vmm/device/uart.h>

#include <x86/uart.h>

enum {
	IER_MASK = 0x0f,
	FCR_KEPT = 0xc9,
	MCR_MASK = 0x1f,
	LSR_TRANSMIT_EMPTY = LSR_HOLDING_EMPTY | LSR_TRANSMITTER_EMPTY,

	MSR_CTS = 1 << 4,
	MSR_DSR = 1 << 5,
	MSR_RING = 1 << 6,
	MSR_DCD = 1 << 7,
	MSR_TRAILING_RING = 1 << 2,
};

static bool uart_looped(const struct uart *uart) { return uart->modem_control & MCR_LOOPBACK; }

static uint8_t uart_fifo_size(const struct uart *uart) {
	return uart->fifo_control & FCR_ENABLE ? UART_FIFO : 1;
}

static uint8_t uart_trigger(const struct uart *uart) {
	static const uint8_t levels[4] = {1, 4, 8, 14};

	return uart->fifo_control & FCR_ENABLE ? levels[uart->fifo_control >> 6] : 1;
}

static void uart_fifo_push(struct uart *uart, uint8_t byte) {
	if (uart->fifo_count >= uart_fifo_size(uart)) {
		uart->overrun = true;
		return;
	}
	uart->fifo[(uart->fifo_first + uart->fifo_count) % UART_FIFO] = byte;
	uart->fifo_count++;
}

// A BREAK is one character of zero bits with a mark, however long it lasts (line status register,
// bit 4).
static void uart_fifo_push_break(struct uart *uart) {
	unsigned place = (uart->fifo_first + uart->fifo_count) % UART_FIFO;

	if (uart->fifo_count < uart_fifo_size(uart)) uart->breaks |= (uint16_t)(1u << place);
	uart_fifo_push(uart, 0);
}

// Whether the character to be read next is a BREAK that the guest has not been shown.
static bool uart_break_first(const struct uart *uart) {
	return uart->fifo_count > 0 && uart->breaks >> uart->fifo_first & 1;
}

static void uart_break_shown(struct uart *uart) {
	uart->breaks &= (uint16_t) ~(1u << uart->fifo_first);
}

static uint8_t uart_fifo_pop(struct uart *uart) {
	uint8_t byte;

	if (uart->fifo_count == 0) return 0;
	byte = uart->fifo[uart->fifo_first];
	uart_break_shown(uart);
	uart->fifo_first = (uint8_t)((uart->fifo_first + 1) % UART_FIFO);
	uart->fifo_count--;
	return byte;
}

// The highest-priority enabled interrupt, in the order of the data sheet's table 4.
static uint8_t uart_identity(const struct uart *uart) {
	if ((uart->interrupt_enable & IER_LINE_STATUS) && (uart->overrun || uart_break_first(uart)))
		return IIR_LINE_STATUS;
	if ((uart->interrupt_enable & IER_RECEIVED) && uart->fifo_count > 0)
		return uart->fifo_count >= uart_trigger(uart) ? IIR_RECEIVED : IIR_TIMEOUT;
	if ((uart->interrupt_enable & IER_TRANSMIT_EMPTY) && uart->transmit_pending)
		return IIR_TRANSMIT_EMPTY;
	if ((uart->interrupt_enable & IER_MODEM_STATUS) && uart->modem_delta != 0)
		return IIR_MODEM_STATUS;
	return IIR_NONE;
}

static void uart_update_line(struct uart *uart) {
	// On a PC the output OUT2 gates the interrupt; in loopback the outputs are inactive.
	bool gated = (uart->modem_control & (MCR_OUT2 | MCR_LOOPBACK)) == MCR_OUT2;
	bool active = gated && uart_identity(uart) != IIR_NONE;

	line_set(&uart->line, active ? LINE_HIGH : LINE_LOW);
}

void uart_poll(struct uart *uart) {
	uint8_t byte;

	while (!uart_looped(uart) && uart->fifo_count < uart_fifo_size(uart)) {
		if (uart->backend.take_break(uart->backend.context))
			uart_fifo_push_break(uart);
		else if (uart->backend.get(uart->backend.context, &byte))
			uart_fifo_push(uart, byte);
		else
			break;
	}
	if (uart->transmit_blocked && uart->backend.ready(uart->backend.context)) {
		uart->transmit_blocked = false;
		uart->transmit_pending = true;
	}
	uart_update_line(uart);
}

static void uart_transmit(struct uart *uart, uint8_t byte) {
	if (uart_looped(uart))
		uart_fifo_push(uart, byte);
	else
		uart->backend.put(uart->backend.context, byte);
	uart->transmit_blocked = !uart_looped(uart) && !uart->backend.ready(uart->backend.context);
	uart->transmit_pending = !uart->transmit_blocked;
}

static uint8_t uart_modem_lines(const struct uart *uart) {
	uint8_t control;
	uint8_t lines;

	if (!uart_looped(uart)) return MSR_CTS | MSR_DSR | MSR_DCD;
	control = uart->modem_control;
	lines = control & MCR_DTR ? MSR_DSR : 0;
	lines |= control & MCR_RTS ? MSR_CTS : 0;
	lines |= control & MCR_OUT1 ? MSR_RING : 0;
	lines |= control & MCR_OUT2 ? MSR_DCD : 0;
	return lines;
}

static void uart_write_modem_control(struct uart *uart, uint8_t value) {
	uint8_t before = uart_modem_lines(uart);
	uint8_t after;
	uint8_t delta;

	uart->modem_control = value & MCR_MASK;
	after = uart_modem_lines(uart);
	// The delta of the ring line reports its trailing edge only.
	delta = (uint8_t)((before ^ after) >> 4);
	if (after & MSR_RING) delta &= ~MSR_TRAILING_RING;
	uart->modem_delta |= delta;
}

static uint8_t uart_line_status(struct uart *uart) {
	uint8_t status = uart->fifo_count > 0 ? LSR_DATA_READY : 0;

	status |= uart->overrun ? LSR_OVERRUN : 0;
	status |= uart->transmit_blocked ? 0 : LSR_TRANSMIT_EMPTY;
	status |= uart_break_first(uart) ? LSR_BREAK : 0;
	if ((uart->fifo_control & FCR_ENABLE) && uart->breaks != 0) status |= LSR_FIFO_ERROR;
	uart->overrun = false;
	uart_break_shown(uart);
	return status;
}

static uint8_t uart_read_identity(struct uart *uart) {
	uint8_t identity = uart_identity(uart);

	if (identity == IIR_TRANSMIT_EMPTY) uart->transmit_pending = false;
	return identity | (uart->fifo_control & FCR_ENABLE ? IIR_FIFO_ENABLED : 0);
}

static uint8_t uart_read_modem_status(struct uart *uart) {
	uint8_t status = uart_modem_lines(uart) | uart->modem_delta;

	uart->modem_delta = 0;
	return status;
}

static uint8_t uart_read_register(struct uart *uart, enum uart_register number) {
	bool divisor = uart->line_control & LCR_DIVISOR_ACCESS;

	switch (number) {
	case UART_DATA: return divisor ? uart->divisor[0] : uart_fifo_pop(uart);
	case UART_INTERRUPT_ENABLE: return divisor ? uart->divisor[1] : uart->interrupt_enable;
	case UART_INTERRUPT_IDENTITY: return uart_read_identity(uart);
	case UART_LINE_CONTROL: return uart->line_control;
	case UART_MODEM_CONTROL: return uart->modem_control;
	case UART_LINE_STATUS: return uart_line_status(uart);
	case UART_MODEM_STATUS: return uart_read_modem_status(uart);
	case UART_SCRATCH: return uart->scratch;
	case UART_REGISTERS: break;
	}
	return 0xff;
}

static uint64_t uart_read(void *device, uint64_t offset, enum bus_width) {
	struct uart *uart = device;
	uint8_t value;

	uart_poll(uart);
	value = uart_read_register(uart, (enum uart_register)offset);
	uart_poll(uart);
	return value;
}

static void uart_write_interrupt_enable(struct uart *uart, uint8_t value) {
	// Enabling the transmit interrupt while THR is empty raises it at once.
	uint8_t enabled = value & ~uart->interrupt_enable;

	if ((enabled & IER_TRANSMIT_EMPTY) && !uart->transmit_blocked)
		uart->transmit_pending = true;
	uart->interrupt_enable = value & IER_MASK;
}

static void uart_write_fifo_control(struct uart *uart, uint8_t value) {
	bool switched = (value ^ uart->fifo_control) & FCR_ENABLE;

	if (switched || (value & FCR_CLEAR_RECEIVE)) {
		uart->fifo_count = 0;
		uart->breaks = 0;
	}
	uart->fifo_control = value & FCR_ENABLE ? value & FCR_KEPT : 0;
}

static void uart_write(void *device, uint64_t offset, enum bus_width, uint64_t word) {
	struct uart *uart = device;
	uint8_t value = (uint8_t)word;
	bool divisor = uart->line_control & LCR_DIVISOR_ACCESS;

	switch ((enum uart_register)offset) {
	case UART_DATA:
		if (divisor)
			uart->divisor[0] = value;
		else
			uart_transmit(uart, value);
		break;
	case UART_INTERRUPT_ENABLE:
		if (divisor)
			uart->divisor[1] = value;
		else
			uart_write_interrupt_enable(uart, value);
		break;
	case UART_INTERRUPT_IDENTITY: uart_write_fifo_control(uart, value); break;
	case UART_LINE_CONTROL: uart->line_control = value; break;
	case UART_MODEM_CONTROL: uart_write_modem_control(uart, value); break;
	case UART_SCRATCH: uart->scratch = value; break;
	case UART_LINE_STATUS:
	case UART_MODEM_STATUS:
	case UART_REGISTERS: break;
	}
	uart_poll(uart);
}

void uart_reset(struct uart *uart) {
	*uart = (struct uart){
		.backend = uart->backend,
		.line = uart->line,
		.window = uart->window,
		.divisor = {1}, // 115200 baud
	};
	uart_update_line(uart);
}

static const struct bus_ops uart_ops = {
	.name = "serial port",
	.widths = BUS_WIDTH_1,
	.read = uart_read,
	.write = uart_write,
};

const struct uart_place uart_places[UART_COUNT] = {{0x3f8, 4}, {0x2f8, 3}};

bool uart_attach(struct uart *uart, struct bus *ports, uint16_t base) {
	uart->window = (struct bus_window){&uart_ops, uart, base, UART_REGISTERS, NULL};
	return bus_add(ports, &uart->window);
}
