"""What a busy or full server says, in both languages."""

from __future__ import annotations

ENGLISH: dict[str, str] = {
    "bundles_crowded": "Many downloads are being made: try again in {seconds} s.",
    "disk_full": "The disk of this server is full. Try again later.",
    "disk_read_only": "The disk of this server cannot be written.",
    "events_many": "Too much is asked for from your address. Try again in half a minute.",
    "uploads_many": "Too many files came from your address. Try again in some minutes.",
}

CHINESE: dict[str, str] = {
    "bundles_crowded": "正在生成许多下载文件：请在 {seconds} 秒后再试。",
    "disk_full": "服务器的磁盘已满。请稍后再试。",
    "disk_read_only": "服务器的磁盘无法写入。",
    "events_many": "来自您地址的请求过多。请半分钟后再试。",
    "uploads_many": "来自您地址的文件过多。请过几分钟再试。",
}
