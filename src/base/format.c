// SPDX-License-Identifier: BSD-2-Clause
// Formatted text: one pass over the format, one conversion record at a time.
#include <base/format.h>

#include <stdbool.h>
#include <stdint.h>

#include <base/compiler.h>

struct conversion {
	bool left;
	bool zero;
	unsigned length; // 0 char, 1 short, 2 int, 3 long
	int width;
	int precision; // -1: none given
	char kind;
};

struct writer {
	struct format_sink *sink;
	int count;
};

static void writer_put(struct writer *writer, char character) {
	writer->sink->put(writer->sink, character);
	writer->count++;
}

static void writer_fill(struct writer *writer, char character, int count) {
	for (int i = 0; i < count; i++)
		writer_put(writer, character);
}

// Text with its sign or prefix, padded to the width: zeros go between prefix and text.
static void writer_field(struct writer *writer, const struct conversion *conversion,
	const char *prefix, const char *text, int length) {
	int prefix_length = 0;
	int padding;

	while (prefix[prefix_length])
		prefix_length++;
	padding = conversion->width - length - prefix_length;
	if (!conversion->left && !conversion->zero) writer_fill(writer, ' ', padding);
	for (int i = 0; i < prefix_length; i++)
		writer_put(writer, prefix[i]);
	if (!conversion->left && conversion->zero) writer_fill(writer, '0', padding);
	for (int i = 0; i < length; i++)
		writer_put(writer, text[i]);
	if (conversion->left) writer_fill(writer, ' ', padding);
}

static void writer_number(struct writer *writer, const struct conversion *conversion,
	const char *prefix, uint64_t value, unsigned base) {
	const char *digits = conversion->kind == 'X' ? "0123456789ABCDEF" : "0123456789abcdef";
	char text[20];
	int start = array_count(text);

	do {
		text[--start] = digits[value % base];
		value /= base;
	} while (value != 0);
	writer_field(writer, conversion, prefix, text + start, (int)array_count(text) - start);
}

static void writer_string(
	struct writer *writer, const struct conversion *conversion, const char *text) {
	int length = 0;

	if (!text) text = "(null)";
	while ((conversion->precision < 0 || length < conversion->precision) && text[length])
		length++;
	writer_field(writer, conversion, "", text, length);
}

static const char *parse_number(const char *format, int *value) {
	*value = 0;
	while (*format >= '0' && *format <= '9') {
		if (*value < 10000) *value = *value * 10 + (*format - '0');
		format++;
	}
	return format;
}

static const char *parse_length(const char *format, unsigned *length) {
	*length = 2;
	for (;; format++) {
		if (*format == 'l' || *format == 'z' || *format == 'j' || *format == 't')
			*length = 3;
		else if (*format == 'h' && *length > 0)
			(*length)--;
		else
			return format;
	}
}

static const char *parse_conversion(
	const char *format, struct conversion *conversion, va_list *arguments) {
	*conversion = (struct conversion){.precision = -1};
	for (;; format++) {
		if (*format == '-')
			conversion->left = true;
		else if (*format == '0')
			conversion->zero = true;
		else
			break;
	}
	if (*format == '*') {
		conversion->width = va_arg(*arguments, int);
		format++;
	} else {
		format = parse_number(format, &conversion->width);
	}
	if (*format == '.' && format[1] == '*') {
		conversion->precision = va_arg(*arguments, int);
		format += 2;
	} else if (*format == '.') {
		format = parse_number(format + 1, &conversion->precision);
	}
	format = parse_length(format, &conversion->length);
	conversion->kind = *format;
	return *format ? format + 1 : format;
}

static uint64_t take_unsigned(const struct conversion *conversion, va_list *arguments) {
	uint64_t value = conversion->length == 3 ? va_arg(*arguments, unsigned long)
						 : va_arg(*arguments, unsigned);

	if (conversion->length == 0) return (uint8_t)value;
	return conversion->length == 1 ? (uint16_t)value : value;
}

static int64_t take_signed(const struct conversion *conversion, va_list *arguments) {
	int64_t value = conversion->length == 3 ? va_arg(*arguments, long)
						: va_arg(*arguments, int);

	if (conversion->length == 0) return (int8_t)value;
	return conversion->length == 1 ? (int16_t)value : value;
}

static void emit_signed(struct writer *writer, const struct conversion *conversion, int64_t value) {
	if (value < 0)
		writer_number(writer, conversion, "-", 0 - (uint64_t)value, 10);
	else
		writer_number(writer, conversion, "", (uint64_t)value, 10);
}

static void emit_conversion(
	struct writer *writer, const struct conversion *conversion, va_list *arguments) {
	char character;

	switch (conversion->kind) {
	case 'c':
		character = (char)va_arg(*arguments, int);
		writer_field(writer, conversion, "", &character, 1);
		break;
	case 's': writer_string(writer, conversion, va_arg(*arguments, const char *)); break;
	case 'd':
	case 'i': emit_signed(writer, conversion, take_signed(conversion, arguments)); break;
	case 'u':
		writer_number(writer, conversion, "", take_unsigned(conversion, arguments), 10);
		break;
	case 'x':
	case 'X':
		writer_number(writer, conversion, "", take_unsigned(conversion, arguments), 16);
		break;
	case 'p':
		writer_number(writer, conversion, "0x", (uintptr_t)va_arg(*arguments, void *), 16);
		break;
	case '%': writer_put(writer, '%'); break;
	case 0: break;
	default:
		writer_put(writer, '%');
		writer_put(writer, conversion->kind);
		break;
	}
}

int format_emit(struct format_sink *sink, const char *format, va_list arguments) {
	struct writer writer = {.sink = sink};
	struct conversion conversion;
	va_list list;

	// A va_list parameter is a pointer on this machine; a copy can be passed by address.
	va_copy(list, arguments);
	while (*format) {
		if (*format != '%') {
			writer_put(&writer, *format++);
			continue;
		}
		format = parse_conversion(format + 1, &conversion, &list);
		emit_conversion(&writer, &conversion, &list);
	}
	va_end(list);
	return writer.count;
}

struct text_sink {
	struct format_sink sink;
	char *next;
	size_t room; // characters left, the NUL not counted
};

static void text_put(struct format_sink *sink, char character) {
	struct text_sink *text = container_of(sink, struct text_sink, sink);

	if (text->room > 0) {
		*text->next++ = character;
		text->room--;
	}
}

int format_text_list(char *buffer, size_t size, const char *format, va_list arguments) {
	struct text_sink text = {
		.sink.put = text_put,
		.next = buffer,
		.room = size > 0 ? size - 1 : 0,
	};
	int count = format_emit(&text.sink, format, arguments);

	if (size > 0) *text.next = 0;
	return count;
}

int format_text(char *buffer, size_t size, const char *format, ...) {
	va_list arguments;
	int count;

	va_start(arguments, format);
	count = format_text_list(buffer, size, format, arguments);
	va_end(arguments);
	return count;
}
