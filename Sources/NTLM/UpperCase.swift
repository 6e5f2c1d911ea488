/// Upper case as NTOWFv2 needs it: both ends must agree on each letter of the user's name.
///
/// Windows maps each UTF-16 unit to exactly one, by a table frozen at Unicode 5 and published as
/// the recommended up-case table of the exFAT specification (7.2.5.1). Sharp s, ligatures, dotless
/// i and surrogate pairs stay as they are.
package enum UpperCase {
    package static func text(_ text: String) -> String {
        var out = String.UnicodeScalarView()
        for scalar in text.unicodeScalars { out.append(self.scalar(scalar)) }
        return String(out)
    }

    package static func scalar(_ scalar: Unicode.Scalar) -> Unicode.Scalar {
        guard let unit = UInt16(exactly: scalar.value) else { return scalar }
        return Unicode.Scalar(self.unit(unit)) ?? scalar
    }

    package static func unit(_ unit: UInt16) -> UInt16 {
        if unit < 0x80 { return (0x61...0x7a).contains(unit) ? unit - 0x20 : unit }
        for index in 0..<runs.count {
            let run = runs[index]
            let first = UInt16(truncatingIfNeeded: run >> 36)
            if unit < first { return unit }
            if unit > UInt16(truncatingIfNeeded: run >> 20) { continue }
            let step = UInt16(truncatingIfNeeded: run >> 16) & 0xf
            if (unit - first) % step == 0 { return unit &+ UInt16(truncatingIfNeeded: run) }
        }
        return unit
    }

    /// Runs of letters that have a capital, in order: the first, the last, the step from one to
    /// the next, and what to add, modulo 2^16.
    private static let runs: InlineArray<118, UInt64> = [
        0x00e0_00f6_1_ffe0, 0x00f8_00fe_1_ffe0, 0x00ff_00ff_1_0079, 0x0101_012f_2_ffff,
        0x0133_0137_2_ffff, 0x013a_0148_2_ffff, 0x014b_0177_2_ffff, 0x017a_017e_2_ffff,
        0x0180_0180_1_00c3, 0x0183_0185_2_ffff, 0x0188_0188_1_ffff, 0x018c_018c_1_ffff,
        0x0192_0192_1_ffff, 0x0195_0195_1_0061, 0x0199_0199_1_ffff, 0x019a_019a_1_00a3,
        0x019e_019e_1_0082, 0x01a1_01a5_2_ffff, 0x01a8_01a8_1_ffff, 0x01ad_01ad_1_ffff,
        0x01b0_01b0_1_ffff, 0x01b4_01b6_2_ffff, 0x01b9_01b9_1_ffff, 0x01bd_01bd_1_ffff,
        0x01bf_01bf_1_0038, 0x01c6_01c6_1_fffe, 0x01c9_01c9_1_fffe, 0x01cc_01cc_1_fffe,
        0x01ce_01dc_2_ffff, 0x01dd_01dd_1_ffb1, 0x01df_01ef_2_ffff, 0x01f3_01f3_1_fffe,
        0x01f5_01f5_1_ffff, 0x01f9_021f_2_ffff, 0x0223_0233_2_ffff, 0x023a_023a_1_2a2b,
        0x023c_023c_1_ffff, 0x023e_023e_1_2a28, 0x0242_0242_1_ffff, 0x0247_024f_2_ffff,
        0x0253_0253_1_ff2e, 0x0254_0254_1_ff32, 0x0256_0257_1_ff33, 0x0259_0259_1_ff36,
        0x025b_025b_1_ff35, 0x0260_0260_1_ff33, 0x0263_0263_1_ff31, 0x0268_0268_1_ff2f,
        0x0269_0269_1_ff2d, 0x026b_026b_1_29f7, 0x026f_026f_1_ff2d, 0x0272_0272_1_ff2b,
        0x0275_0275_1_ff2a, 0x027d_027d_1_29e7, 0x0280_0280_1_ff26, 0x0283_0283_1_ff26,
        0x0288_0288_1_ff26, 0x0289_0289_1_ffbb, 0x028a_028b_1_ff27, 0x028c_028c_1_ffb9,
        0x0292_0292_1_ff25, 0x037b_037d_1_0082, 0x03ac_03ac_1_ffda, 0x03ad_03af_1_ffdb,
        0x03b1_03c1_1_ffe0, 0x03c2_03c2_1_ffe1, 0x03c3_03cb_1_ffe0, 0x03cc_03cc_1_ffc0,
        0x03cd_03ce_1_ffc1, 0x03d9_03ef_2_ffff, 0x03f2_03f2_1_0007, 0x03f8_03f8_1_ffff,
        0x03fb_03fb_1_ffff, 0x0430_044f_1_ffe0, 0x0450_045f_1_ffb0, 0x0461_0481_2_ffff,
        0x048b_04bf_2_ffff, 0x04c2_04ce_2_ffff, 0x04cf_04cf_1_fff1, 0x04d1_0513_2_ffff,
        0x0561_0586_1_ffd0, 0x1d7d_1d7d_1_0ee6, 0x1e01_1e95_2_ffff, 0x1ea1_1ef9_2_ffff,
        0x1f00_1f07_1_0008, 0x1f10_1f15_1_0008, 0x1f20_1f27_1_0008, 0x1f30_1f37_1_0008,
        0x1f40_1f45_1_0008, 0x1f51_1f57_2_0008, 0x1f60_1f67_1_0008, 0x1f70_1f71_1_004a,
        0x1f72_1f75_1_0056, 0x1f76_1f77_1_0064, 0x1f78_1f79_1_0080, 0x1f7a_1f7b_1_0070,
        0x1f7c_1f7d_1_007e, 0x1f80_1f87_1_0008, 0x1f90_1f97_1_0008, 0x1fa0_1fa7_1_0008,
        0x1fb0_1fb1_1_0008, 0x1fb3_1fb3_1_0009, 0x1fcc_1fcc_1_fff7, 0x1fd0_1fd1_1_0008,
        0x1fe0_1fe1_1_0008, 0x1fe5_1fe5_1_0007, 0x1ffc_1ffc_1_fff7, 0x214e_214e_1_ffe4,
        0x2170_217f_1_fff0, 0x2184_2184_1_ffff, 0x24d0_24e9_1_ffe6, 0x2c30_2c5e_1_ffd0,
        0x2c61_2c61_1_ffff, 0x2c68_2c6c_2_ffff, 0x2c76_2c76_1_ffff, 0x2c81_2ce3_2_ffff,
        0x2d00_2d25_1_e3a0, 0xff41_ff5a_1_ffe0,
    ]
}
