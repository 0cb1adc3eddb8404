"""The polynomials of erfc for `vector_math`: minimax, computed by Remez' exchange in 250 bits and rounded.

erfcx(a) = erfc(a) * exp(a*a) on 16 cells of a + 2, four an octave from 2 to 32, each a polynomial of degree 14 in the distance
from the cell's centre; a row holds one power's coefficients in all cells, in the order of the mantissa's and the exponent's
lowest two bits.
"""

ERFCX = [
    (
        "0x1.8a6adcda2ea92p-1", "0x1.038d54ea3d834p-1", "0x1.78a692138767ap-2", "0x1.23cfc2f1dc7e0p-2",
        "0x1.afbb3f3b7343bp-3", "0x1.3e0a99a0ee914p-3", "0x1.f5b2a049cf4c6p-4", "0x1.9d8a8f2284f2cp-4",
        "0x1.46dc6bf900f68p-4", "0x1.fe6cc4a0f9538p-5", "0x1.a273c57e476cep-5", "0x1.627bcc27cb4aep-5",
        "0x1.204ddcd967373p-5", "0x1.cd9bc89b73548p-6", "0x1.80d1e88d3c620p-6", "0x1.49ebde7878139p-6",
    ),
    (
        "-0x1.7c857b9b3c192p-1", "-0x1.78cdd551ee51ap-2", "-0x1.abaacdbfa8b07p-3", "-0x1.0c3d538446447p-3",
        "-0x1.3086d7f01ac89p-4", "-0x1.5285d2eb1ef74p-5", "-0x1.aa3eb6a946f7ep-6", "-0x1.238ca71b93fc3p-6",
        "-0x1.6e4b45246f922p-7", "-0x1.c046699d77d52p-8", "-0x1.2ddd3d589bfb0p-8", "-0x1.b1be47a913fc3p-9",
        "-0x1.1f305584ff3eep-9", "-0x1.705e8c0688050p-10", "-0x1.001a68f1b5449p-10", "-0x1.7892d6052da5dp-11",
    ),
    (
        "0x1.2b497df35fa2bp-1", "0x1.d90093ae10927p-3", "0x1.b56f45eef7e58p-4", "0x1.c8d0cef0f810dp-5",
        "0x1.98958a7a8e49ap-6", "0x1.5d581133378edp-7", "0x1.62c12cb5f7577p-8", "0x1.95252b932efe3p-9",
        "0x1.96a3de47d5b16p-10", "0x1.876373f4a0f3ap-11", "0x1.b1c8923879d89p-12", "0x1.0898f73586fcfp-12",
        "0x1.1d875467f863bp-13", "0x1.259993494e472p-14", "0x1.54964558f64cep-15", "0x1.ad8ccfc089fa9p-16",
    ),
    (
        "-0x1.97997ad330165p-2", "-0x1.09e77d40e01cfp-3", "-0x1.9b635ac624aacp-5", "-0x1.6cb52fe489456p-6",
        "-0x1.0632076808caep-7", "-0x1.5e5d7e9898f24p-9", "-0x1.218ed930b236fp-10", "-0x1.15976ddda3c96p-11",
        "-0x1.bf5070ee1774fp-13", "-0x1.53c131b5cb12bp-14", "-0x1.3672f09812095p-15", "-0x1.41e750b2e0630p-16",
        "-0x1.1b561359e6f02p-17", "-0x1.d36fe3dd8fff1p-19", "-0x1.c48d27f6c7ceep-20", "-0x1.e9ab4c8d1c29bp-21",
    ),
    (
        "0x1.f0ac9d31f3b03p-3", "0x1.1192f5bd68837p-4", "0x1.68a25a6641f51p-6", "0x1.13648a11ffe79p-7",
        "0x1.435c04e208581p-9", "0x1.5632136d8ccf3p-11", "0x1.d00785f2ed4e3p-13", "0x1.774f4826dc851p-14",
        "0x1.e7af6eeff577dp-16", "0x1.254381038c804p-17", "0x1.baa1d9d8421cep-19", "0x1.8682d21856140p-20",
        "0x1.18a0870878ce3p-21", "0x1.73a4ded43df0dp-23", "0x1.2c675fe07059fp-24", "0x1.16ecc51155d0ep-25",
    ),
    (
        "-0x1.146985bdc776fp-3", "-0x1.054d68296d072p-5", "-0x1.299636d6cc712p-7", "-0x1.8bf716a8edf91p-9",
        "-0x1.809ce8ae3f55dp-11", "-0x1.460abd6b8bdf4p-13", "-0x1.6d54b133ec95dp-15", "-0x1.f4e46d17a548ep-17",
        "-0x1.078bfe3720e4dp-18", "-0x1.f773505cb2906p-21", "-0x1.3a555d7a91151p-22", "-0x1.d868cc70fec12p-24",
        "-0x1.156b53c708d15p-25", "-0x1.271eee8131c3bp-27", "-0x1.8e79b8190ff1ep-29", "-0x1.3d8fbf04cb60fp-30",
    ),
    (
        "0x1.1d0c27d6bf38ap-4", "0x1.d43a7c7a4cd26p-7", "0x1.d1b695aab743fp-9", "0x1.106bd5c042d27p-10",
        "0x1.ba8a67d01748dp-13", "0x1.2f839e5460d8bp-15", "0x1.1ad6a32df4c27p-17", "0x1.4a17e19c00210p-19",
        "0x1.1a6f6b7bcdb0dp-21", "0x1.adc5f7f2cbdd8p-24", "0x1.bcbee2a21329bp-26", "0x1.1cf1ff6c66948p-27",
        "0x1.11bbc0f01431ep-29", "0x1.d42321f888184p-32", "0x1.080e891d0753ap-33", "0x1.6952918713e70p-35",
    ),
    (
        "-0x1.132db775a5772p-5", "-0x1.8c97dd2400cb7p-8", "-0x1.5b8bc93bee996p-10", "-0x1.6838884307211p-12",
        "-0x1.edd4201ea77efp-15", "-0x1.146bc38cf7350p-17", "-0x1.aef8ea15bf8b9p-20", "-0x1.add7ac8bdcee4p-22",
        "-0x1.2c2db72e7051dp-24", "-0x1.6ce662854d91dp-27", "-0x1.3972860b410edp-29", "-0x1.56cb0dcc1c56dp-31",
        "-0x1.0d97a97c4a472p-33", "-0x1.72d7953d5c3a5p-36", "-0x1.5daa87a2f3109p-38", "-0x1.9adb10a810856p-40",
    ),
    (
        "0x1.f54ce206d3990p-7", "0x1.3f81898494caep-9", "0x1.f0fe6fb559714p-12", "0x1.cb4c687c3d062p-14",
        "0x1.0bcba25f12facp-16", "0x1.ed2a95f842739p-20", "0x1.4354fb03dde6fp-22", "0x1.149cd77a2eefep-24",
        "0x1.3c768b2cfa0afp-27", "0x1.342c86da08458p-30", "0x1.b82d44fa3baedp-33", "0x1.9b410ba7f0c77p-35",
        "0x1.090573b3d50a0p-37", "0x1.2569bb4b55553p-40", "0x1.cea351c344a29p-43", "0x1.d2e2ed1d2012ap-45",
    ),
    (
        "-0x1.b181f2e4c5a95p-8", "-0x1.ec0d290691fc7p-11", "-0x1.55c0913d6c0f6p-13", "-0x1.1b291c316c9c1p-15",
        "-0x1.1ad21d58ece08p-18", "-0x1.af5df961fb0e2p-22", "-0x1.de09947b429edp-25", "-0x1.600032fa0f0d9p-27",
        "-0x1.4b0186b9d586ep-30", "-0x1.02e8128dc1f00p-33", "-0x1.33ef1a7627165p-36", "-0x1.ec0bb84f96d68p-39",
        "-0x1.040cf4f7bc9d1p-41", "-0x1.cfbe50d2da3a5p-45", "-0x1.31cbcdcaa403dp-47", "-0x1.091d01e81076bp-49",
    ),
    (
        "0x1.65b0872aae995p-9", "0x1.6b9833311c8efp-12", "0x1.c5703f0f2c882p-15", "0x1.5273f8a31ea33p-17",
        "0x1.235097dd74109p-20", "0x1.724fef03ccabcp-24", "0x1.5c64d88531657p-27", "0x1.bb09cff3e78fdp-30",
        "0x1.5789cd7acd475p-33", "0x1.b0c96e48b4744p-37", "0x1.ad45546f6a479p-40", "0x1.258f577485e00p-42",
        "0x1.fd66ccb14c5f3p-46", "0x1.6e08f2e6bfd5dp-49", "0x1.93e9224220152p-52", "0x1.2ce4460816d00p-54",
    ),
    (
        "-0x1.1aa73b319542bp-10", "-0x1.02a053170e760p-13", "-0x1.22ef1aff35bb2p-16", "-0x1.88eee77b4c057p-19",
        "-0x1.24bc0cf14b256p-22", "-0x1.3814b69fa6327p-26", "-0x1.f4beb3ea620b9p-30", "-0x1.13cc64a0562b8p-32",
        "-0x1.6150807be7fd5p-36", "-0x1.67a6e13558eafp-40", "-0x1.2a0921cc53f78p-43", "-0x1.5d48d1a4a2c1fp-46",
        "-0x1.f15ce354bb489p-50", "-0x1.2069239c30eafp-53", "-0x1.0a751de8592bep-56", "-0x1.553c8daed37efp-59",
    ),
    (
        "0x1.adbc38624bd07p-12", "0x1.6366682daedffp-15", "0x1.6a0ec5428de3cp-18", "0x1.bc06a458ec12bp-21",
        "0x1.201b0e1845cb6p-24", "0x1.02bc36166dbb4p-28", "0x1.6343f72ef7b78p-32", "0x1.53e7e2ab3e29fp-35",
        "0x1.69448b9dd33ffp-39", "0x1.2994e6d19df50p-43", "0x1.9c8008f0091e5p-47", "0x1.9e8e1e7f418cbp-50",
        "0x1.e55e5e11edaa5p-54", "0x1.c63420e2f0689p-58", "0x1.5f5bfef6c2007p-61", "0x1.82ce5c4ff3262p-64",
    ),
    (
        "-0x1.440b150c3d3d6p-13", "-0x1.e4103137445e8p-17", "-0x1.be7998caf0503p-20", "-0x1.f1487c214249dp-23",
        "-0x1.246e1e713b012p-26", "-0x1.b6409c8f09072p-31", "-0x1.ffd777424d99ep-35", "-0x1.a7aa1c647c567p-38",
        "-0x1.85aa32c7e6892p-42", "-0x1.fdf216476946ep-47", "-0x1.2483637e31c52p-50", "-0x1.f4ec3e5d2d1bap-54",
        "-0x1.f475d7731066ep-58", "-0x1.729b33b3a69a0p-62", "-0x1.daf8825b7cebap-66", "-0x1.be9136435c9f3p-69",
    ),
    (
        "0x1.c7341f6636211p-15", "0x1.368ce77d382f4p-18", "0x1.05b3879805028p-21", "0x1.0ab1ca122e5a0p-24",
        "0x1.129143191c678p-28", "0x1.5ed10432fe031p-33", "0x1.618c74d1804ddp-37", "0x1.ff5dcaae95a4cp-41",
        "0x1.87fb19536ccf3p-45", "0x1.a1769fe638202p-50", "0x1.91d9ad28a9b5bp-54", "0x1.27a3be62c6aacp-57",
        "0x1.e66c7084183bep-62", "0x1.23149781c0704p-66", "0x1.389ac3c8dec5dp-70", "0x1.f98cf6c6c6109p-74",
    ),
]  # fmt: skip
