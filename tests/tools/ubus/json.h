/* In place of json-c, which the conversion from JSON alone needs: only that from blobmsg to JSON is used. */
#pragma once
#include <stdint.h>
#include <stdlib.h>

typedef struct json_object json_object;
struct array_list;
enum json_type {
	json_type_null, json_type_boolean, json_type_double, json_type_int, json_type_object, json_type_array, json_type_string
};

static inline enum json_type json_object_get_type(json_object *o) { abort(); }
static inline const char *json_object_get_string(json_object *o) { abort(); }
static inline int json_object_get_boolean(json_object *o) { abort(); }
static inline int64_t json_object_get_int64(json_object *o) { abort(); }
static inline double json_object_get_double(json_object *o) { abort(); }
static inline struct array_list *json_object_get_array(json_object *o) { abort(); }
static inline int array_list_length(struct array_list *a) { abort(); }
static inline json_object *array_list_get_idx(struct array_list *a, int i) { abort(); }
static inline int json_object_put(json_object *o) { abort(); }
static inline json_object *json_object_from_file(const char *f) { abort(); }
static inline json_object *json_tokener_parse(const char *s) { abort(); }

#define json_object_object_foreach(o, key, val) \
	for (json_object *val = NULL, *once = (o); once; once = NULL) \
		for (char *key = NULL; once; once = NULL)
