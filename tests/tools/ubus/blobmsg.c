/*
 * blobmsg encode: reads values, one a line, and prints the attributes that libubox makes of them, in hex.
 *   KIND NAME VALUE    KIND is one of null bool int double string table array; NAME and text are in hex, "-" for an empty one
 *   end                of a table or array
 *   ;                  of a message: its line is printed, and the next one begins
 * blobmsg decode: reads attributes in hex, one message a line, and prints the JSON that libubox makes of each.
 */
#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include "blobmsg.h"
#include "blobmsg_json.h"

static size_t from_hex(const char *text, unsigned char *bytes)
{
	size_t length = 0;

	if (*text == '-')
		text = "";
	for (; isxdigit((unsigned char)text[0]) && isxdigit((unsigned char)text[1]); text += 2) {
		unsigned int byte;
		sscanf(text, "%2x", &byte);
		bytes[length++] = byte;
	}
	bytes[length] = 0;
	return length;
}

static void encode(char *line, size_t size)
{
	static struct blob_buf b;
	static void *nested[1024];
	int depth = 0;
	char *name = malloc(size), *text = malloc(size);

	blob_buf_init(&b, 0);
	while (getline(&line, &size, stdin) > 0) {
		char *kind = strtok(line, " \n"), *hex = strtok(NULL, " \n"), *value = strtok(NULL, " \n");

		if (!strcmp(kind, ";")) {
			for (size_t i = 0; i < blob_len(b.head); i++)
				printf("%02x", ((unsigned char *)blob_data(b.head))[i]);
			puts("");
			blob_buf_init(&b, 0);
			continue;
		}
		if (!strcmp(kind, "end")) {
			blob_nest_end(&b, nested[--depth]);
			continue;
		}
		name = realloc(name, size);
		text = realloc(text, size);
		from_hex(hex, (unsigned char *)name);
		if (!strcmp(kind, "null")) {
			blobmsg_add_field(&b, BLOBMSG_TYPE_UNSPEC, name, NULL, 0);
		} else if (!strcmp(kind, "bool")) {
			blobmsg_add_u8(&b, name, atoi(value));
		} else if (!strcmp(kind, "int")) {
			/* As blobmsg_add_json_element() chooses. */
			int64_t number = strtoll(value, NULL, 10);
			if (number >= INT32_MIN && number <= INT32_MAX)
				blobmsg_add_u32(&b, name, number);
			else
				blobmsg_add_u64(&b, name, number);
		} else if (!strcmp(kind, "double")) {
			blobmsg_add_double(&b, name, strtod(value, NULL));
		} else if (!strcmp(kind, "string")) {
			from_hex(value, (unsigned char *)text);
			blobmsg_add_string(&b, name, text);
		} else {
			nested[depth++] = blobmsg_open_nested(&b, name, !strcmp(kind, "array"));
		}
	}
}

static void decode(char *line, size_t size)
{
	while (getline(&line, &size, stdin) > 0) {
		static struct blob_buf b;
		unsigned char *bytes = malloc(size);
		size_t length = from_hex(line, bytes);
		char *json;

		blob_buf_init(&b, 0);
		if (length > 0)
			blob_put_raw(&b, bytes, length);
		json = blobmsg_format_json(b.head, true);
		puts(json ? json : "");
		free(json);
		free(bytes);
	}
}

int main(int argc, char **argv)
{
	size_t size = 1 << 20;
	char *line = malloc(size);

	setvbuf(stdout, NULL, _IOFBF, 1 << 16);
	if (argc == 2 && !strcmp(argv[1], "decode"))
		decode(line, size);
	else
		encode(line, size);
	return 0;
}
