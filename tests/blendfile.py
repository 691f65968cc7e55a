"""blendfile: a small .blend without Blender: header, one scene with a camera, and its catalogue of structures. Blender itself would not render it."""
import struct

NAMES = ["name[66]", "sfra", "efra", "frame_step", "xsch", "ysch", "size", "frs_sec", "frs_sec_base", "engine[32]", "id", "*camera", "r", "type", "*curscene"]
TYPES = [("char", 1), ("short", 2), ("int", 4), ("float", 4), ("ID", 66), ("RenderData", 60), ("Scene", 134), ("Object", 68), ("FileGlobal", 8)]
STRUCTS = [(4, [(0, 0)]),
           (5, [(2, 1), (2, 2), (2, 3), (2, 4), (2, 5), (1, 6), (1, 7), (3, 8), (0, 9)]),
           (6, [(4, 10), (7, 11), (5, 12)]),
           (7, [(4, 10), (1, 13)]),
           (8, [(6, 14)])]


def _pad(data):
    return data + b"\0" * (-len(data) % 4)


def _catalogue():
    out = b"SDNANAME" + struct.pack("<i", len(NAMES)) + b"".join(n.encode() + b"\0" for n in NAMES)
    out = _pad(out) + b"TYPE" + struct.pack("<i", len(TYPES)) + b"".join(t.encode() + b"\0" for t, _ in TYPES)
    out = _pad(out) + b"TLEN" + b"".join(struct.pack("<h", size) for _, size in TYPES)
    out = _pad(out) + b"STRC" + struct.pack("<i", len(STRUCTS))
    for kind, members in STRUCTS:
        out += struct.pack("<hh", kind, len(members)) + b"".join(struct.pack("<hh", *m) for m in members)
    return out


def _block(code, sdna, old, data):
    return struct.pack("<4siqii", code, len(data), old, sdna, 1) + data


def make(width=32, height=18, start=1, end=3, engine="BLENDER_WORKBENCH", version=b"304", scene="Scene"):
    s = struct.pack("<66sq", b"SC" + scene.encode(), 0x300) + struct.pack("<5ihhf32s", start, end, 1, width, height, 100, 24, 1.0, engine.encode())
    camera = struct.pack("<66sh", b"OBCamera", 11)
    return (b"BLENDER-v" + version + _block(b"GLOB", 4, 0x10, struct.pack("<q", 0x200)) + _block(b"SC\0\0", 2, 0x200, s) +
            _block(b"OB\0\0", 3, 0x300, camera) + _block(b"DNA1", 0, 0x400, _catalogue()) + _block(b"ENDB", 0, 0, b""))
