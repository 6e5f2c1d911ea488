import NTLM
import SMB
import Wire

/// The dialects, oldest first (MS-CIFS 1.7, 2.2.4.52.1).
enum SMBDialect: UInt8, Comparable {
    case core, corePlus, lanMan10, lanMan20, lanMan21, ntLM

    static func < (left: SMBDialect, right: SMBDialect) -> Bool { left.rawValue < right.rawValue }

    /// What a client calls it. The DOS names are those of the same dialects without long names.
    init?(_ name: String) {
        switch name {
        case "PC NETWORK PROGRAM 1.0", "PCLAN1.0": self = .core
        case "MICROSOFT NETWORKS 1.03": self = .corePlus
        case "MICROSOFT NETWORKS 3.0", "LANMAN1.0": self = .lanMan10
        case "DOS LM1.2X002", "LM1.2X002": self = .lanMan20
        case "DOS LANMAN2.1", "LANMAN2.1": self = .lanMan21
        case "NT LM 0.12", "NT LANMAN 1.0": self = .ntLM
        case _: return nil
        }
    }
}

extension SMBConnection {
    /// Chooses the newest dialect. One that offers SMB2 only is told that there is none in common.
    func negotiate(
        _ request: SMB1.NegotiateRequest, _ exchange: SMBExchange, _ now: FrontTime
    ) -> SMBStep {
        guard phase == .negotiation else {
            close()
            return .answered
        }
        var best: (index: Int, dialect: SMBDialect)?
        for (index, name) in request.dialects.enumerated() {
            guard let dialect = SMBDialect(name) else { continue }
            if dialect > best?.dialect ?? .core || best == nil { best = (index, dialect) }
        }
        guard let best else {
            exchange.append(
                SMB1.NegotiateResponse.core(dialectIndex: SMB1.NegotiateResponse.noDialect))
            return .done
        }
        phase = .ready(best.dialect)
        challenge = Bytes8(context.random(8))
        let index = UInt16(best.index)
        switch best.dialect {
        case .core, .corePlus:
            exchange.append(SMB1.NegotiateResponse.core(dialectIndex: index))
        case .lanMan10, .lanMan20, .lanMan21:
            exchange.append(SMB1.NegotiateResponse.lanMan(lanMan(index, best.dialect, now)))
        case .ntLM:
            let isExtended = exchange.header.flags2.contains(.extendedSecurity)
            let (answer, source) = ntLM(index, isExtended, now)
            exchange.append(SMB1.NegotiateResponse.ntLM(answer), from: source)
        }
        return .done
    }

    private func lanMan(
        _ index: UInt16, _ dialect: SMBDialect, _ now: FrontTime
    ) -> SMB1.NegotiateLANMAN {
        var answer = SMB1.NegotiateLANMAN()
        answer.dialectIndex = index
        answer.securityMode = [.userSecurity, .encryptPasswords]
        answer.maxBufferSize = UInt16(SMBLimits.buffer)
        answer.maxMpxCount = UInt16(SMBLimits.requests)
        let time = SMB1.DOSTime(unix: now.unix)
        answer.serverTime = time.time
        answer.serverDate = time.date
        answer.encryptionKey = challenge.bytes
        if dialect == .lanMan21 { answer.primaryDomain = context.settings.domainName }
        return answer
    }

    private func ntLM(
        _ index: UInt16, _ isExtended: Bool, _ now: FrontTime
    ) -> (SMB1.NegotiateNTLM, [UInt8]) {
        let blob = isExtended ? SecurityAcceptor.hint() : []
        var answer = SMB1.NegotiateNTLM(
            security: isExtended
                ? .extended(
                    serverGUID: context.settings.serverGUID, securityBlob: 0..<blob.count)
                : .challenge(
                    challenge.bytes, domainName: context.settings.domainName,
                    serverName: context.settings.computerName))
        answer.dialectIndex = index
        answer.securityMode = [.userSecurity, .encryptPasswords]
        switch context.settings.signing {
        case .off: break
        case .offered: answer.securityMode.insert(.signaturesEnabled)
        case .required:
            answer.securityMode.formUnion([.signaturesEnabled, .signaturesRequired])
        }
        answer.maxMpxCount = UInt16(SMBLimits.requests)
        answer.maxBufferSize = UInt32(SMBLimits.buffer)
        answer.maxRawSize = 65_536
        answer.capabilities = [.unicode, .ntSMBs, .rpcRemoteAPIs, .ntStatus, .ntFind, .largeFiles]
        if isExtended { answer.capabilities.insert(.extendedSecurity) }
        answer.systemTime = now.fileTime
        return (answer, blob)
    }
}
