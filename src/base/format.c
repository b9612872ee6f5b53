// SPDX-License-Identifier: BSD-2-Clause
// Formatted text: one pass over the format, one conversion at a time.
#include <base/format.h>

#include <base/compiler.h>

struct writer {
	struct format_sink *sink;
	va_list arguments;
	// Of the conversion at hand:
	char flag; // '-', '0' or 0
	bool is_long;
	int width;
	int precision; // below 0: none
};

static void put(struct writer *writer, char character) {
	writer->sink->put(writer->sink, character);
}

// Text in its width.
static void put_text(struct writer *writer, const char *text, int length) {
	int padding = writer->width - length;

	for (; writer->flag != '-' && padding > 0; padding--)
		put(writer, writer->flag == '0' ? '0' : ' ');
	for (int i = 0; i < length; i++)
		put(writer, text[i]);
	for (; padding > 0; padding--)
		put(writer, ' ');
}

// sign is a character, or 0 for none; zeros go between it and the digits.
static void put_number(struct writer *writer, char sign, uint64_t value, unsigned base) {
	char text[20];
	int start = array_count(text);

	do {
		text[--start] = "0123456789abcdef"[value % base];
		value /= base;
	} while (value != 0);
	if (sign && writer->flag == '0') {
		put(writer, sign);
		writer->width--;
	} else if (sign) {
		text[--start] = sign;
	}
	put_text(writer, text + start, (int)array_count(text) - start);
}

static void put_string(struct writer *writer, const char *text) {
	int length = 0;

	if (!text) text = "(null)";
	while (length != writer->precision && text[length])
		length++;
	put_text(writer, text, length);
}

// kind: d, u or x.
static void put_integer(struct writer *writer, char kind) {
	uint64_t value = writer->is_long ? va_arg(writer->arguments, unsigned long)
		: kind == 'd'            ? (uint64_t)va_arg(writer->arguments, int)
					 : va_arg(writer->arguments, unsigned);
	bool is_negative = kind == 'd' && (int64_t)value < 0;

	put_number(
		writer, is_negative ? '-' : 0, is_negative ? -value : value, kind == 'x' ? 16 : 10);
}

static void put_conversion(struct writer *writer, char kind) {
	switch (kind) {
	case 'c': put_text(writer, &(char){(char)va_arg(writer->arguments, int)}, 1); break;
	case 's': put_string(writer, va_arg(writer->arguments, const char *)); break;
	case 'd':
	case 'u':
	case 'x': put_integer(writer, kind); break;
	case 'p':
		put(writer, '0');
		put(writer, 'x');
		put_number(writer, 0, (uintptr_t)va_arg(writer->arguments, void *), 16);
		break;
	default:
		put(writer, '%');
		if (kind != '%') put(writer, kind);
		break;
	}
}

static const char *parse_number(const char *format, int *value) {
	for (*value = 0; *format >= '0' && *format <= '9'; format++) {
		if (*value < 10000) *value = *value * 10 + (*format - '0');
	}
	return format;
}

// Reads the part between `%` and the letter of the conversion.
static const char *parse_conversion(struct writer *writer, const char *format) {
	writer->flag = *format == '-' || *format == '0' ? *format++ : 0;
	format = parse_number(format, &writer->width);
	writer->precision = -1;
	if (*format == '.' && format[1] == '*') {
		writer->precision = va_arg(writer->arguments, int);
		format += 2;
	} else if (*format == '.') {
		format = parse_number(format + 1, &writer->precision);
	}
	writer->is_long = *format == 'l';
	return writer->is_long ? format + 1 : format;
}

void format_emit(struct format_sink *sink, const char *format, va_list arguments) {
	struct writer writer = {.sink = sink};

	va_copy(writer.arguments, arguments);
	for (; *format; format++) {
		if (*format != '%') {
			put(&writer, *format);
			continue;
		}
		format = parse_conversion(&writer, format + 1);
		if (!*format) break;
		put_conversion(&writer, *format);
	}
	va_end(writer.arguments);
}

struct text_sink {
	struct format_sink sink;
	char *buffer;
	size_t size;
	size_t count; // characters so far, those that found no room too
};

static void text_put(struct format_sink *sink, char character) {
	struct text_sink *text = (struct text_sink *)sink;

	if (text->count + 1 < text->size) text->buffer[text->count] = character;
	text->count++;
}

int format_text_list(char *buffer, size_t size, const char *format, va_list arguments) {
	struct text_sink text = {{text_put}, buffer, size, 0};

	format_emit(&text.sink, format, arguments);
	if (size > 0) buffer[text.count < size ? text.count : size - 1] = 0;
	return (int)text.count;
}

int format_text(char *buffer, size_t size, const char *format, ...) {
	va_list arguments;
	int count;

	va_start(arguments, format);
	count = format_text_list(buffer, size, format, arguments);
	va_end(arguments);
	return count;
}
